"""Refusing early what cannot be answered in time."""

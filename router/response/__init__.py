"""Merged data -> the shape that the client asked for."""

"""Supergraph SDL -> immutable model, API schema, query graph."""

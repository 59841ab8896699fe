"""Subgraph SDLs -> supergraph SDL, errors, hints."""

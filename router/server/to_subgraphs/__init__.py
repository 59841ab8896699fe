"""The way to the subgraphs, made from the settings."""

"""Subgraphs in this process: ASGI apps and schemas, asked without a socket."""

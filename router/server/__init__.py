"""The ASGI edge: GraphQL over HTTP, the explorer page, health, metrics."""

"""Events of a subgraph's subscription root field, over WebSocket or server-sent events."""

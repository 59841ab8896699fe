"""The router under twice the load that it can carry, and with a subgraph that hangs."""

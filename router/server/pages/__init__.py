"""What the router serves besides GraphQL: health, metrics, the explorer, and plans."""

"""What may be kept, and for how long: of subgraphs' answers in the router, and of the router's in front of it."""

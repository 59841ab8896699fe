"""Subscriptions of clients: shared at the subgraphs, buffered for each client, kept over lost subgraphs and reloads."""

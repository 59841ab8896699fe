"""Demand of clients: what their operations cost, and how much of the router each may have."""

"""Who asks: bearer tokens and their keys, and the signatures of the router and of webhooks."""

"""The demo shop: one deterministic set of facts from which each service seeds its own database."""

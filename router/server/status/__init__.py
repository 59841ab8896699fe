"""``/status``: what the router is doing now, as a page and as JSON, for who may inspect."""

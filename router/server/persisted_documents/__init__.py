"""Documents that requests name instead of sending them: registered by clients, or listed in a manifest."""

"""Code of others on the way of a request: hooks that are there are called, and those that are not cost nothing."""

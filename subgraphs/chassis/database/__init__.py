"""The service's own database: its collections and migrations, atomic changes, and who waits for them."""

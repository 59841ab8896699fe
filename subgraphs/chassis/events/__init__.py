"""What services tell one another: events from the outbox over the bus to their handlers."""

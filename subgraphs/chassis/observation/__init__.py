"""What is seen of a service at work: logs, metrics and spans."""

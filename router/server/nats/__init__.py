"""NATS JetStream, where replicas of the router share what they know; none of it is needed to answer."""

"""A complete GraphQL Federation 2 composer, query planner, executor and server."""

"""Requests before GraphQL: their bodies within bounds, their time, and routes beside it."""

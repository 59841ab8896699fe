"""Answers in parts: operations with ``@defer``, for clients that accept it."""

"""The router as one process or several: how it begins, its memory, and its end."""

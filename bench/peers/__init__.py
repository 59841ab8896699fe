"""Other routers, and the ceiling, to compare with."""

"""The graph that is served: where it comes from, what it is made of, and how a changed one takes its place."""

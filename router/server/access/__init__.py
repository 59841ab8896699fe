"""Who gets in: who sent a request, what they may see, and what is refused before any work."""

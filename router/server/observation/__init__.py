"""What is seen of requests under way: spans, durations of their stages, and the fetches of one that asks for them."""

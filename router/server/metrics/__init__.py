"""What /metrics tells: plain numbers, counted as requests go by, and made into families for who asks."""

"""Rate limits: how much each client may ask for in a time, counted in memory, or together with other replicas."""

"""Every subgraph by itself: read, linked, validated, and Federation 1 upgraded, ready to be merged."""

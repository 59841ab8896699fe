"""Our composer and the reference composer on the same generated sets of subgraphs."""

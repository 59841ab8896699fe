"""Our planner beside ``@apollo/query-planner``: depth, fetches and time over the supergraphs of many projects."""

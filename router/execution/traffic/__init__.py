"""What stands between execution and the network, so that one bad subgraph stays one bad subgraph.

Each client here wraps another and adds one concern; all keep the contract of
:class:`router.execution.subgraph_client.SubgraphClient`. From the outside in::

    RetryingClient    a query that no one answered is asked once more, within a budget
    LimitingClient    no more requests under way than the subgraph can take; the others wait, or are refused
    BalancingClient   of several addresses one that works; none where none does (circuit breakers)
    HttpSubgraphClient
"""

"""Prepared subgraphs -> one supergraph schema: a file for each kind of type and each rule that crosses subgraphs."""

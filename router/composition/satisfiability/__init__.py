"""Can every query of the supergraph be answered by hopping between its subgraphs?"""

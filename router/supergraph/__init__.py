"""Supergraph SDL -> immutable model, API schema, query graph."""

from router.supergraph.model import SubgraphInfo, Supergraph
from router.supergraph.read import read_supergraph

__all__ = ["SubgraphInfo", "Supergraph", "read_supergraph"]

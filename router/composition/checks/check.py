"""All checks of the merged supergraph, each gating the next."""

from __future__ import annotations

from router.composition.checks.inaccessible import check_inaccessible
from router.composition.checks.supergraph_rules import check_supergraph_rules
from router.composition.checks.transitive_auth import check_transitive_auth
from router.composition.errors import CompositionError
from router.composition.merge.merge import Merged


def check_supergraph(merged: Merged) -> list[CompositionError]:
    """What is wrong with the supergraph as a whole: field sets and auth first, then validity and what clients see."""
    errors = [*check_supergraph_rules(merged), *check_transitive_auth(merged)]
    return errors or list(check_inaccessible(merged.schema, merged.subgraphs))

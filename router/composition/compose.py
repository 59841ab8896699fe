"""Composition: subgraphs -> a supergraph, or the reasons why there is none.

Each stage gates the next, so that no error is reported that only follows from another::

    prepare -> merge -> check the whole -> satisfiability -> print
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from router.composition.checks.check import check_supergraph
from router.composition.errors import CompositionError, SourceLocation
from router.composition.hints import CompositionHint
from router.composition.merge.merge import merge_subgraphs
from router.composition.preprocess.prepare import prepare_subgraphs
from router.composition.print_supergraph import print_supergraph
from router.composition.satisfiability.walk import check_satisfiability
from router.composition.subgraph import Origin, Subgraph
from router.federation.error_codes import ErrorCode


@dataclass(frozen=True, slots=True)
class Composition:
    """The outcome: ``supergraph_sdl`` is None exactly when there are errors; hints may be there either way."""

    supergraph_sdl: str | None
    errors: tuple[CompositionError, ...] = ()
    hints: tuple[CompositionHint, ...] = ()


def compose(subgraphs: Sequence[Subgraph]) -> Composition:
    """Compose subgraphs into one supergraph; nothing is raised for what they contain, all errors are collected.

    Errors and hints have a code (``galleria explain CODE``), a message and the places in the subgraphs' SDL.
    """
    composition = _compose(subgraphs)
    origins = {subgraph.name: subgraph.origins for subgraph in subgraphs if subgraph.origins}
    if not origins:
        return composition
    errors = tuple(replace(e, locations=_at_origins(e.locations, origins)) for e in composition.errors)
    hints = tuple(replace(hint, locations=_at_origins(hint.locations, origins)) for hint in composition.hints)
    return Composition(composition.supergraph_sdl, errors, hints)


def _at_origins(
    locations: tuple[SourceLocation, ...], origins: Mapping[str, Mapping[int, Origin]]
) -> tuple[SourceLocation, ...]:
    """Locations in SDL that was made from other source -> locations there."""
    return tuple(
        location if origin is None else SourceLocation(location.subgraph, origin.file, origin.line, origin.column)
        for location in locations
        for origin in (origins.get(location.subgraph, {}).get(location.line),)
    )


def _compose(subgraphs: Sequence[Subgraph]) -> Composition:
    if not subgraphs:
        return Composition(None, (CompositionError(ErrorCode.NO_QUERIES, "There are no subgraphs to compose"),))
    prepared = prepare_subgraphs(subgraphs)
    if prepared.errors:
        return Composition(None, prepared.errors)
    merged = merge_subgraphs(prepared.subgraphs)
    if merged.errors:
        return Composition(None, merged.errors, merged.hints)
    errors = tuple(check_supergraph(merged))
    if errors:
        return Composition(None, errors, merged.hints)
    satisfiability = check_satisfiability(merged)
    hints = (*merged.hints, *satisfiability.hints)
    if satisfiability.errors:
        return Composition(None, tuple(satisfiability.errors), hints)
    return Composition(print_supergraph(merged), (), hints)

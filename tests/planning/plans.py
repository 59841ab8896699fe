"""What the tests of planning share: subgraphs as SDL in, the plan as short lines out.

``#1 payments after #0: Order { id } at orders -> { _entities(...) { ... on Order { payment { status } } } }``
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from router import Subgraph, compose
from router.operation import build_operation, parse_document
from router.operation.model import Operation
from router.planning import plan_operation
from router.planning.plan_text import render_lookup
from router.planning.query_plan import Fetch, QueryPlan
from router.supergraph import Supergraph, read_supergraph

LINK = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires",
  "@provides", "@shareable", "@override", "@inaccessible", "@interfaceObject"])
"""


def supergraph_of(subgraphs: Mapping[str, str]) -> Supergraph:
    """The supergraph of subgraphs given by name; their federation directives are imported for them."""
    composition = compose(
        [Subgraph(name, f"http://{name}.test/graphql", LINK + sdl) for name, sdl in subgraphs.items()]
    )
    assert composition.supergraph_sdl is not None, composition.errors
    return read_supergraph(composition.supergraph_sdl)


def operation_of(supergraph: Supergraph, text: str) -> Operation:
    """The only operation of ``text``."""
    return build_operation(supergraph.api_schema, parse_document(text))


def plan_of(subgraphs: Mapping[str, str], text: str) -> QueryPlan:
    """The plan of the only operation of ``text``."""
    supergraph = supergraph_of(subgraphs)
    return plan_operation(supergraph, operation_of(supergraph, text))


def plan_lines(subgraphs: Mapping[str, str], text: str) -> list[str]:
    """One line for each fetch of the plan."""
    return [line_of(fetch) for fetch in plan_of(subgraphs, text).fetches]


def line_of(fetch: Fetch) -> str:
    """A fetch on one line, without the declaration of ``$representations``, which is the same everywhere."""
    after = f" after {', '.join(f'#{before}' for before in fetch.depends_on)}" if fetch.depends_on else ""
    lookups = " & ".join(render_lookup(lookup).removeprefix(f"${lookup.variable}: ") for lookup in fetch.lookups)
    document = re.sub(r"(, )?\$representations(_\d+)?: \[_Any!\]!", "", fetch.document).replace("query() ", "")
    document = re.sub(r"\(representations: \$representations(_\d+)?\)", "", document)
    return f"#{fetch.id} {fetch.subgraph}{after}: {f'{lookups} -> ' if lookups else ''}{document}"

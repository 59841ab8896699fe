"""What composition says when subgraphs do not fit: errors as data, with the places that caused them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphql import Node, Source, Token

from router.federation.error_codes import ErrorCode


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a subgraph's SDL; line and column count from 1, ``file`` is its path or the subgraph's name."""

    subgraph: str
    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class CompositionError:
    """Why a set of subgraphs does not compose; ``subgraph`` is None where no single one is at fault."""

    code: ErrorCode
    message: str
    subgraph: str | None = None
    locations: tuple[SourceLocation, ...] = ()

    @property
    def subgraphs(self) -> tuple[str, ...]:
        """Every subgraph that takes part, sorted."""
        own = {self.subgraph} if self.subgraph else set()
        return tuple(sorted(own | {location.subgraph for location in self.locations}))

    def __str__(self) -> str:
        owner = f"[{self.subgraph}] " if self.subgraph else ""
        places = f" ({', '.join(map(str, self.locations))})" if self.locations else ""
        return f"{self.code}: {owner}{self.message}{places}"


def locate(subgraph: str, nodes: Iterable[Node | None]) -> tuple[SourceLocation, ...]:
    """The places of AST nodes in one subgraph; nodes that composition added itself have none."""
    tokens = (_first_token(node) for node in nodes if node is not None)
    return tuple(
        SourceLocation(subgraph, source.name, token.line, token.column) for source, token in filter(None, tokens)
    )


def _first_token(node: Node) -> tuple[Source, Token] | None:
    """Where a node begins, its description aside: the name is what people look for."""
    if node.loc is None:
        return None
    description = getattr(node, "description", None)
    after = description.loc.end_token.next if description is not None and description.loc is not None else None
    return node.loc.source, after or node.loc.start_token


def subgraph_error(code: ErrorCode, message: str, subgraph: str, *nodes: Node | None) -> CompositionError:
    """An error that one subgraph causes by itself, at ``nodes`` of its SDL."""
    return CompositionError(code, message, subgraph, locate(subgraph, nodes))

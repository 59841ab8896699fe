"""What every part of the merge shares: the subgraphs, what is known of all types, and the errors and hints found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar, cast

from graphql import Node

from router.composition.errors import CompositionError, SourceLocation, locate
from router.composition.hints import CompositionHint
from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.schema import Application, TypeDefinition, TypeKind, applied
from router.composition.words import subgraphs_named
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode
from router.federation.literals import EnumLiteral, Literal


class Element(Protocol):
    """Anything of a schema that has a place in an SDL document."""

    @property
    def node(self) -> Node | None:
        """The AST node, or None for what composition added."""


E = TypeVar("E")
Sources: TypeAlias = Mapping[int, E]
"""An element as each subgraph declares it, by the subgraph's index; subgraphs without it are absent."""


def merged_kind(type_: TypeDefinition) -> TypeKind:
    """The kind a type has in the supergraph, where an ``@interfaceObject`` is an interface."""
    return TypeKind.INTERFACE if applied(type_, "interfaceObject") else type_.kind


@dataclass(frozen=True, slots=True)
class TypeRelations:
    """Kinds and subtypes of the supergraph, known before its types are merged; ``mixed`` types are of several kinds."""

    kinds: Mapping[str, TypeKind]
    interfaces: Mapping[str, frozenset[str]]
    members: Mapping[str, frozenset[str]]
    mixed: frozenset[str] = frozenset()

    def is_named_subtype(self, name: str, of: str) -> bool:
        """Whether type ``name`` implements the interface, or is a member of the union, ``of``."""
        return of in self.interfaces.get(name, ()) or name in self.members.get(of, ())

    def implementations(self, interface: str) -> list[str]:
        """The object types that implement ``interface`` in any subgraph."""
        return [
            name
            for name, interfaces in self.interfaces.items()
            if interface in interfaces and self.kinds.get(name) is TypeKind.OBJECT
        ]


@dataclass(slots=True)
class MergeContext:
    """The state of one merge; ``graphs`` are the values of ``join__Graph``, one a subgraph."""

    subgraphs: tuple[PreparedSubgraph, ...]
    graphs: tuple[str, ...]
    relations: TypeRelations
    errors: list[CompositionError] = field(default_factory=list)
    hints: list[CompositionHint] = field(default_factory=list)

    def type_sources(self, name: str) -> dict[int, TypeDefinition]:
        """The definitions of the type ``name``; only those of the first kind where kinds differ, which is an error."""
        sources = {i: s.schema.types[name] for i, s in enumerate(self.subgraphs) if name in s.schema.types}
        if name not in self.relations.mixed:
            return sources
        kind = self.relations.kinds[name]
        return {index: type_ for index, type_ in sources.items() if merged_kind(type_) is kind}

    def name(self, index: int) -> str:
        """The name of a subgraph."""
        return self.subgraphs[index].name

    def named(self, indices: Iterable[int]) -> str:
        """``subgraph "a"``, or ``subgraphs "a" and "b"``."""
        return subgraphs_named([self.name(index) for index in indices])

    def locations(self, elements: Mapping[int, Element]) -> tuple[SourceLocation, ...]:
        """The places of an element in the subgraphs that declare it."""
        return tuple(
            place for index, element in elements.items() for place in locate(self.name(index), (element.node,))
        )

    def error(self, code: ErrorCode, message: str, elements: Mapping[int, Element], owner: int | None = None) -> None:
        """Collect an error about elements of several subgraphs, or of the subgraph ``owner`` alone."""
        subgraph = None if owner is None else self.name(owner)
        self.errors.append(CompositionError(code, message, subgraph, self.locations(elements)))

    def hint(
        self, code: HintCode, message: str, elements: Mapping[int, Element], coordinate: str | None = None
    ) -> None:
        """Collect a hint."""
        self.hints.append(CompositionHint(code, message, coordinate, self.locations(elements)))

    def join(self, name: str, index: int, **arguments: object) -> Application:
        """A ``@join__<name>`` application for one subgraph; arguments that are None or False are left out."""
        return join_application(name, {"graph": EnumLiteral(self.graphs[index])}, arguments)


def join_application(name: str, first: Mapping[str, Literal], arguments: Mapping[str, object]) -> Application:
    """A ``@join__<name>`` application; arguments that are None or False are left out."""
    given = {key.rstrip("_"): value for key, value in arguments.items() if value is not None and value is not False}
    return Application(f"join__{name}", {**first, **cast("dict[str, Literal]", given)})


def by_text(context: MergeContext, texts: Sources[str]) -> dict[str, list[str]]:
    """The names of the subgraphs that have each text, in order of first appearance."""
    result: dict[str, list[str]] = {}
    for index, text in texts.items():
        result.setdefault(text, []).append(context.name(index))
    return result

"""Contracts: a supergraph for some clients only, chosen by ``@tag``.

::

    type Product { name: String @tag(name: "public")  cost: Int }   --include-tag public-->   cost: Int @inaccessible

- *include*: a field is kept if it, or the type that declares it, has one of the tags; all other fields are hidden.
  Arguments, input types, enums and scalars are kept unless excluded.
- *exclude*: every element with one of the tags is hidden; this goes before include.
- A type whose fields, values or members are all hidden is hidden itself.

What is hidden becomes ``@inaccessible``: plans may still fetch it, as keys and requirements. The text is otherwise
unchanged. (The meaning is that of contract variants elsewhere.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    Visitor,
    build_schema,
    parse,
    print_schema,
    validate_schema,
    visit,
)

from router.errors import InputError
from router.federation.directives import CORE_FEATURES, EVERY_ELEMENT
from router.federation.feature_url import APOLLO_SPECS
from router.nearest import nearest
from router.supergraph.api_schema import build_api_schema
from router.supergraph.join_spec import JoinNames, directive_values, is_machinery, read_names

_CODE = "INVALID_CONTRACT"
_SPEC = f"{APOLLO_SPECS}/inaccessible/"
_COMPOSITES = (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode)


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Which elements clients see; without ``include`` all that is not excluded."""

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    hide_unreachable: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """A supergraph with more hidden than before, and what clients see of it.

    ``unknown_tags`` are those of the filter that nothing in the supergraph has, each with the end of a sentence about
    it: which one may be meant.
    """

    supergraph_sdl: str
    api_schema: GraphQLSchema
    unknown_tags: Mapping[str, str]


def make_contract(supergraph_sdl: str, tags: TagFilter) -> Contract:
    """Hide what the filter leaves out.

    Raises InputError: ``INVALID_SUPERGRAPH`` for what is none, ``INVALID_CONTRACT`` where what is left makes no schema,
    with everything that is wrong.
    """
    try:
        document = parse(supergraph_sdl)
    except GraphQLError as error:
        raise InputError("INVALID_SUPERGRAPH", f"The supergraph cannot be read: {error.message}") from None
    except RecursionError:
        raise InputError("INVALID_SUPERGRAPH", "The supergraph is nested too deeply to be read") from None
    view = _View(document, read_names(document), _tag_name(document))
    hidden = _Hidden(view, tags)
    hidden.decide()
    problems = list(hidden.problems())
    if problems:
        raise InputError(_CODE, f"What the tags leave makes no schema: {'; '.join(problems)}")
    sdl = _mark(supergraph_sdl, view, hidden.marks())
    return Contract(sdl, _checked_api_schema(sdl), _unknown_tags(view, tags))


def _unknown_tags(view: _View, tags: TagFilter) -> Mapping[str, str]:
    known = view.all_tags()
    return {name: nearest(name, known) for name in sorted((tags.include | tags.exclude) - known)}


def _checked_api_schema(sdl: str) -> GraphQLSchema:
    document = parse(sdl)
    try:
        # The API schema of a router is taken for valid; here its validity is the question.
        schema = build_schema(print_schema(build_api_schema(document, read_names(document))))
    except (GraphQLError, TypeError) as error:
        raise InputError(_CODE, f"What the tags leave makes no schema: {' '.join(str(error).split())}") from None
    errors = validate_schema(schema)
    if errors:
        raise InputError(_CODE, f"What the tags leave makes no schema: {'; '.join(e.message for e in errors)}")
    return schema


def _tag_name(document: DocumentNode) -> str:
    for values in _links(document):
        if str(values.get("url")).startswith(f"{APOLLO_SPECS}/tag/"):
            for item in values.get("import") or ():
                if isinstance(item, dict):
                    return str(item.get("as", "@tag")).removeprefix("@")
            return str(values.get("as") or "tag")
    return "tag"


def _links(document: DocumentNode) -> Iterator[dict[str, Any]]:
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode):
            yield from directive_values(definition.directives, "link")


@dataclass(frozen=True, slots=True)
class _View:
    """A supergraph's document, and what its machinery is called."""

    document: DocumentNode
    names: JoinNames
    tag: str

    @property
    def types(self) -> dict[str, Any]:
        return {
            definition.name.value: definition
            for definition in self.document.definitions
            if isinstance(definition, TypeDefinitionNode) and not is_machinery(definition.name.value, self.names)
        }

    @property
    def roots(self) -> dict[str, str]:
        return {
            operation.operation.value: operation.type.name.value
            for definition in self.document.definitions
            if isinstance(definition, SchemaDefinitionNode)
            for operation in definition.operation_types
        }

    def has_tag(self, element: Any, tags: Collection[str]) -> bool:
        return any(values.get("name") in tags for values in directive_values(element.directives, self.tag))

    def all_tags(self) -> set[str]:
        """Every tag that something has."""
        found = set[str]()
        tag = self.tag

        class Finder(Visitor):
            """Notes the names in ``@tag``."""

            def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
                """Note it."""
                if node.name.value == tag:
                    values = (one.value for one in node.arguments or () if one.name.value == "name")
                    found.update(value.value for value in values if isinstance(value, StringValueNode))

        visit(self.document, Finder())
        return found

    def was_hidden(self, element: Any) -> bool:
        return any(True for _ in directive_values(element.directives, self.names.inaccessible))


class _Hidden:
    """Decides what is hidden; elements are kept by the identity of their nodes."""

    def __init__(self, view: _View, tags: TagFilter) -> None:
        self.view = view
        self.tags = tags
        self.types = view.types
        self.nodes: dict[int, Any] = {}

    def is_hidden(self, element: Any) -> bool:
        return id(element) in self.nodes

    def hide(self, element: Any) -> None:
        self.nodes[id(element)] = element

    def marks(self) -> list[Any]:
        """What needs a new mark: what is hidden, and was not before."""
        return [node for node in self.nodes.values() if not self.view.was_hidden(node)]

    def decide(self) -> None:
        for type_ in self.types.values():
            for element in (type_, *_elements(type_)):
                if self.view.was_hidden(element) or self.view.has_tag(element, self.tags.exclude):
                    self.hide(element)
            if self.tags.include and isinstance(type_, _COMPOSITES):
                self._include_fields(type_)
        for type_ in self.types.values():
            members = list(_members(type_))
            if members and all(map(self.is_hidden, members)):
                self.hide(type_)
        for type_ in self.types.values():
            if isinstance(type_, UnionTypeDefinitionNode) and all(
                self.is_hidden(self.types[member.name.value]) for member in type_.types or ()
            ):
                self.hide(type_)
        if self.tags.hide_unreachable:
            self._hide_unreachable()

    def _include_fields(self, type_: Any) -> None:
        if self.view.has_tag(type_, self.tags.include):
            return
        for field in type_.fields or ():
            if not self.view.has_tag(field, self.tags.include):
                self.hide(field)

    def _hide_unreachable(self) -> None:
        pending, seen = list(self.view.roots.values()), set[str]()
        while pending:
            name = pending.pop()
            type_ = self.types.get(name)
            if type_ is not None and name not in seen and not self.is_hidden(type_):
                seen.add(name)
                pending.extend(self._neighbours(name, type_))
        for name, type_ in self.types.items():
            if name not in seen:
                self.hide(type_)

    def _neighbours(self, name: str, type_: Any) -> Iterator[str]:
        for member in _members(type_):
            if not self.is_hidden(member) and hasattr(member, "type"):
                yield _named(member.type)
                yield from (_named(argument.type) for argument in getattr(member, "arguments", None) or ())
        for attribute in ("interfaces", "types"):
            yield from (node.name.value for node in getattr(type_, attribute, None) or ())
        if isinstance(type_, InterfaceTypeDefinitionNode):
            yield from (
                other
                for other, definition in self.types.items()
                if any(node.name.value == name for node in getattr(definition, "interfaces", None) or ())
            )

    def problems(self) -> Iterator[str]:
        """What a client would see that leads to what it does not."""
        query = self.types.get(self.view.roots.get("query", ""))
        if query is None or self.is_hidden(query):
            yield "no field of the query type is left"
            return
        for name, type_ in self.types.items():
            if self.is_hidden(type_):
                continue
            for member in _members(type_):
                if not self.is_hidden(member):
                    yield from self._member_problems(f"{name}.{member.name.value}", member)
                elif isinstance(type_, InputObjectTypeDefinitionNode) and _is_required(member):
                    yield f"{name}.{member.name.value} is required, but hidden"

    def _member_problems(self, place: str, member: Any) -> Iterator[str]:
        if hasattr(member, "type") and self._leads_nowhere(member.type):
            target = _named(member.type)
            yield f"{place} is visible, but its type {target} is not: tag the type's fields or hide {place}"
        for argument in getattr(member, "arguments", None) or ():
            where = f"{place}({argument.name.value}:)"
            if self.is_hidden(argument):
                if _is_required(argument):
                    yield f"{where} is required, but hidden"
            elif self._leads_nowhere(argument.type):
                yield f"{where} is visible, but its type {_named(argument.type)} is not"

    def _leads_nowhere(self, type_: TypeNode) -> bool:
        definition = self.types.get(_named(type_))
        return definition is not None and self.is_hidden(definition)


def _members(type_: Any) -> Iterable[Any]:
    return type_.values or () if isinstance(type_, EnumTypeDefinitionNode) else getattr(type_, "fields", None) or ()


def _elements(type_: Any) -> Iterator[Any]:
    for member in _members(type_):
        yield member
        yield from getattr(member, "arguments", None) or ()


def _named(type_: Any) -> str:
    while hasattr(type_, "type"):
        type_ = type_.type
    return str(type_.name.value)


def _is_required(value: Any) -> bool:
    return isinstance(value.type, NonNullTypeNode) and value.default_value is None


def _mark(sdl: str, view: _View, elements: Iterable[Any]) -> str:
    """The text with ``@inaccessible`` on ``elements``, and its link where it had none."""
    mark = f" @{view.names.inaccessible}"
    inserts = [(_end_of_head(element), mark) for element in elements]
    if inserts and not any(str(values.get("url")).startswith(_SPEC) for values in _links(view.document)):
        inserts.extend(_link_inserts(view))
    for position, text in sorted(inserts, reverse=True):
        sdl = f"{sdl[:position]}{text}{sdl[position:]}"
    return sdl


def _link_inserts(view: _View) -> Iterator[tuple[int, str]]:
    feature = next(feature for feature in CORE_FEATURES if feature.name == "inaccessible")
    for definition in view.document.definitions:
        if isinstance(definition, SchemaDefinitionNode):
            yield _end_of_head(definition), f'\n  @link(url: "{_SPEC}{feature.version}", for: {feature.purpose})'
            yield _end(definition), f"\n\ndirective @inaccessible on {' | '.join(EVERY_ELEMENT)}"


def _end_of_head(element: Any) -> int:
    """Where another directive can stand: after the last directive, or after what precedes directives."""
    for attribute in ("directives", "default_value", "type", "interfaces", "name"):
        value = getattr(element, attribute, None)
        if isinstance(value, tuple | list):
            value = value[-1] if value else None
        if value is not None:
            return _end(value)
    return int(element.loc.start)


def _end(node: Any) -> int:
    return int(node.loc.end)

"""The first stage of composition: each subgraph's SDL -> :class:`PreparedSubgraph`, or errors.

::

    parse -> @link -> model -> directives -> GraphQL rules -> root types -> Federation rules
                                                                    \\ Federation 1: upgrade, then its rules again

All errors of all subgraphs are reported together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from graphql import DirectiveDefinitionNode, DocumentNode, GraphQLSyntaxError, Source, parse

from router.composition.errors import CompositionError, SourceLocation, subgraph_error
from router.composition.preprocess.contexts import context_coordinates
from router.composition.preprocess.federation_rules import check_federation_rules
from router.composition.preprocess.graphql_rules import (
    check_applied_directives,
    check_graphql_rules,
    unknown_directives,
)
from router.composition.preprocess.known_directives import (
    KnownDirectives,
    check_own_definitions,
    known_directives,
)
from router.composition.preprocess.machinery import without_machinery, without_service_fields
from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.preprocess.read_schema import read_schema, schema_directive_nodes
from router.composition.preprocess.root_types import check_root_types, rename_root_types
from router.composition.preprocess.upgrade_federation1 import upgrade_federation1
from router.composition.preprocess.usage import compute_usage
from router.composition.schema import Schema
from router.composition.subgraph import Subgraph
from router.federation.directives import CORE_FEATURES
from router.federation.error_codes import ErrorCode
from router.federation.feature_url import FEDERATION_IDENTITY, LINK_IDENTITY
from router.federation.link import Links, read_links

_RESERVED_NAMES = ("_",)
_DEEP = 100
_MAX_SDL_CHARACTERS = 8_000_000
"""The largest public schemas are a quarter of this; the parser needs about 200 bytes of memory a character."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """The prepared subgraphs in the order of their names, or the errors that keep them from being merged."""

    subgraphs: tuple[PreparedSubgraph, ...]
    errors: tuple[CompositionError, ...]


def prepare_subgraphs(subgraphs: Sequence[Subgraph]) -> Preparation:
    """Read, validate and upgrade all subgraphs; with any error there are no subgraphs in the result."""
    ordered = sorted(subgraphs, key=lambda subgraph: subgraph.name)
    errors = [error for index in range(len(ordered)) for error in _name_errors(ordered, index)]
    documents: list[tuple[Subgraph, DocumentNode]] = []
    for subgraph in ordered:
        document = _parse(subgraph)
        if isinstance(document, CompositionError):
            errors.append(document)
        else:
            documents.append((subgraph, document))
    if errors:
        return Preparation((), tuple(errors))
    prepared: list[PreparedSubgraph] = []
    for subgraph, document in documents:
        try:
            result = _prepare(subgraph, document)
        except RecursionError:
            result = [_too_deep(subgraph)]
        if isinstance(result, PreparedSubgraph):
            prepared.append(result)
        else:
            errors.extend(result)
    if errors:
        return Preparation((), tuple(errors))
    upgraded, upgrade_errors = upgrade_federation1(prepared)
    return Preparation(() if upgrade_errors else upgraded, upgrade_errors)


def _name_errors(subgraphs: Sequence[Subgraph], index: int) -> list[CompositionError]:
    name = subgraphs[index].name
    if not name or name in _RESERVED_NAMES:
        return [CompositionError(ErrorCode.INVALID_SUBGRAPH_NAME, f'The subgraph name "{name}" is reserved', name)]
    if index and subgraphs[index - 1].name == name:
        message = f'Two subgraphs are named "{name}"; each needs a name of its own'
        return [CompositionError(ErrorCode.INVALID_SUBGRAPH_NAME, message, name)]
    return []


def _parse(subgraph: Subgraph) -> DocumentNode | CompositionError:
    file = subgraph.file or subgraph.name
    start = (SourceLocation(subgraph.name, file, 1, 1),)
    if not subgraph.sdl.strip():
        return CompositionError(ErrorCode.SYNTAX, "The SDL is empty", subgraph.name, start)
    if len(subgraph.sdl) > _MAX_SDL_CHARACTERS:
        message = f"The SDL has {len(subgraph.sdl)} characters; more than {_MAX_SDL_CHARACTERS} are not read"
        return CompositionError(ErrorCode.SYNTAX, message, subgraph.name, start)
    try:
        return parse(Source(subgraph.sdl, file))
    except GraphQLSyntaxError as error:
        locations = tuple(SourceLocation(subgraph.name, file, at.line, at.column) for at in error.locations or ())
        return CompositionError(ErrorCode.SYNTAX, error.message, subgraph.name, locations)
    except RecursionError:
        return _too_deep(subgraph)


def _too_deep(subgraph: Subgraph) -> CompositionError:
    """The place is the first line whose brackets open more levels than the parser's stack holds."""
    depth, line, column = 0, 1, 0
    for character in subgraph.sdl:
        line, column = (line + 1, 0) if character == "\n" else (line, column + 1)
        depth += (character in "([{") - (character in ")]}")
        if depth > _DEEP:
            break
    place = SourceLocation(subgraph.name, subgraph.file or subgraph.name, line, max(column, 1))
    return CompositionError(ErrorCode.SYNTAX, "The SDL is nested too deeply to be read", subgraph.name, (place,))


def _features_without_federation(links: Links, subgraph: str) -> Iterator[CompositionError]:
    """A Federation 1 schema cannot link the features that Federation 2 brings with itself."""
    names = {feature.name for feature in CORE_FEATURES}
    for link in links.links:
        if link.url.is_apollo_spec and link.url.name in names:
            message = (
                f'Import its elements from {FEDERATION_IDENTITY} instead of linking "{link.url.identity}" by itself'
            )
            node = link.node
            yield subgraph_error(ErrorCode.INVALID_LINK_DIRECTIVE_USAGE, message, subgraph, node)


def _prepare(subgraph: Subgraph, document: DocumentNode) -> PreparedSubgraph | list[CompositionError]:
    name = subgraph.name
    links, problems = read_links(schema_directive_nodes(document))
    version = links.federation.url.version if links.federation else None
    errors = [subgraph_error(problem.code, problem.message, name, problem.node) for problem in problems]
    if version is None and not errors:
        errors = list(_features_without_federation(links, name))
    if errors and links.by_identity(LINK_IDENTITY) is None and not _is_unknown_version(errors):
        return errors
    defined = {d.name.value for d in document.definitions if isinstance(d, DirectiveDefinitionNode)}
    wrong = {id(problem.node) for problem in problems}
    known = known_directives(
        replace(links, links=tuple(link for link in links.links if id(link.node) not in wrong)), defined
    )
    schema, duplicates = read_schema(document, name, lambda directive: known.specs.get(directive, ""))
    if duplicates and not errors:
        return list(duplicates)
    errors = _definition_errors(schema, known, name, errors)
    if errors:
        return errors
    own = {**known.by_name, **schema.directives}
    checked = schema if version is not None else without_service_fields(schema)
    errors = list(check_graphql_rules(checked, own, known.machinery_types, name))
    if errors:
        return errors
    errors = list(check_root_types(schema, name))
    schema = without_machinery(rename_root_types(schema), known.by_name, known.machinery_types)
    usage = compute_usage(schema, context_coordinates(schema))
    prepared = PreparedSubgraph(name, subgraph.url, schema, links, version, usage)
    if version is not None:
        errors.extend(check_federation_rules(prepared))
    return errors or prepared


def _definition_errors(
    schema: Schema, known: KnownDirectives, subgraph: str, link_errors: list[CompositionError]
) -> list[CompositionError]:
    """What is wrong with links, the directives that a schema defines itself, and those that it applies.

    Unknown directives are looked for beside wrong links only if the link specification is linked itself; on the schema
    they tell more than the links do. Other composers have it so.
    """
    own = {**known.by_name, **schema.directives}
    errors = link_errors or list(check_own_definitions(schema, known, subgraph))
    if not errors:
        return list(check_applied_directives(schema, own, known.machinery_types, subgraph))
    on_schema = list(unknown_directives(schema, own, subgraph, schema.applications)) if link_errors else []
    return on_schema or [*errors, *unknown_directives(schema, own, subgraph)]


def _is_unknown_version(errors: list[CompositionError]) -> bool:
    return any(error.code is ErrorCode.UNKNOWN_FEDERATION_LINK_VERSION for error in errors)

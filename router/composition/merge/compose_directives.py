"""``@composeDirective``: custom directives that their subgraphs ask to have in the supergraph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from graphql.pyutils import suggestion_list

from router.composition.merge.applied_directives import MergedDirective, custom_directive
from router.composition.merge.context import MergeContext
from router.composition.merge.core_features import SupergraphLink
from router.composition.schema import Application, DirectiveDefinition, all_applied
from router.composition.words import quoted
from router.federation.directives import CORE_FEATURES
from router.federation.error_codes import ErrorCode
from router.federation.feature_url import FEDERATION_IDENTITY, JOIN_IDENTITY, LINK_IDENTITY
from router.federation.hint_codes import HintCode
from router.federation.link import Link

_MACHINERY = (FEDERATION_IDENTITY, LINK_IDENTITY, JOIN_IDENTITY)
_COMPOSED_BY_DEFAULT = frozenset(spec for feature in CORE_FEATURES for spec in feature.directives)


@dataclass(frozen=True, slots=True)
class ComposedDirectives:
    """The custom directives of the supergraph with their definitions and links."""

    directives: tuple[MergedDirective, ...] = ()
    definitions: Mapping[str, DirectiveDefinition] = field(default_factory=dict)
    links: tuple[SupergraphLink, ...] = ()


@dataclass(frozen=True, slots=True)
class _Request:
    """One valid ``@composeDirective``: the directive ``name`` is ``element`` of what ``link`` links."""

    index: int
    name: str
    link: Link
    element: str
    application: Application


def read_composed_directives(context: MergeContext) -> ComposedDirectives:
    """Check all ``@composeDirective`` (codes ``DIRECTIVE_COMPOSITION_*``) and collect what they ask for."""
    requests = [request for index in range(len(context.subgraphs)) for request in _requests(context, index)]
    majors: dict[str, set[int]] = {}
    for request in requests:
        majors.setdefault(request.link.url.identity, set()).add(request.link.url.version.major)
    failed = {identity for identity, found in majors.items() if len(found) > 1}
    for identity in sorted(failed):
        message = f'"{identity}" has directives to compose, but subgraphs link different major versions of it'
        context.error(ErrorCode.DIRECTIVE_COMPOSITION_ERROR, message, {})
    _version_hints(context, failed)
    requests = [request for request in requests if request.link.url.identity not in failed]
    by_element: dict[tuple[str, str], list[_Request]] = {}
    by_name: dict[str, list[_Request]] = {}
    for request in requests:
        by_element.setdefault((request.link.url.identity, request.element), []).append(request)
        by_name.setdefault(request.name, []).append(request)
    _reserved_names(context, requests)
    consistent = [group for group in by_element.values() if _is_consistent(context, group)]
    _ambiguous_names(context, by_name)
    definitions = {group[0].name: _newest(context, group) for group in consistent}
    directives = tuple(
        custom_directive(definitions[group[0].name], _linking(context, group[0].link.url.identity))
        for group in consistent
    )
    return ComposedDirectives(directives, definitions, tuple(_links(context, consistent)))


def _linking(context: MergeContext, identity: str) -> frozenset[int]:
    """The subgraphs that link a specification; a directive of the same name elsewhere is another one."""
    return frozenset(i for i, subgraph in enumerate(context.subgraphs) if subgraph.links.by_identity(identity))


def _requests(context: MergeContext, index: int) -> Iterator[_Request]:
    subgraph = context.subgraphs[index]
    for application in all_applied(subgraph.schema, "composeDirective"):
        argument = application.arguments.get("name")
        fault = _argument_fault(argument)
        if fault:
            _fail(context, index, application, fault)
            continue
        name = str(argument)[1:]
        resolved = subgraph.links.resolve_directive(name)
        if resolved and resolved[0].url.identity in _MACHINERY:
            _federation_directive(context, index, application, resolved[1])
        elif name not in subgraph.schema.directives:
            similar = suggestion_list(name, list(subgraph.schema.directives))
            hint = f'; did you mean "@{similar[0]}"?' if similar else ""
            _fail(context, index, application, f'there is no directive "@{name}"{hint}')
        elif resolved is None:
            _fail(context, index, application, f'"@{name}" belongs to no specification that is linked with @link')
        else:
            yield _Request(index, name, resolved[0], resolved[1], application)


def _argument_fault(argument: object) -> str | None:
    if not isinstance(argument, str) or not argument:
        return "its name is empty"
    return None if argument.startswith("@") else f'its name "{argument}" must begin with "@"'


def _fail(context: MergeContext, index: int, application: Application, fault: str) -> None:
    message = f'@composeDirective in subgraph "{context.name(index)}" cannot be followed: {fault}'
    context.error(ErrorCode.DIRECTIVE_COMPOSITION_ERROR, message, {index: application}, index)


def _federation_directive(context: MergeContext, index: int, application: Application, element: str) -> None:
    if element not in _COMPOSED_BY_DEFAULT:
        _fail(context, index, application, f'"@{element}" is a directive of Federation, which cannot be composed')
        return
    message = f'"@{element}" is composed by default and needs no @composeDirective in subgraph "{context.name(index)}"'
    context.hint(HintCode.DIRECTIVE_COMPOSITION_INFO, message, {index: application}, f"@{element}")


def _major_mismatch(context: MergeContext, link: Link) -> bool:
    majors = {
        other.url.version.major
        for subgraph in context.subgraphs
        for other in subgraph.links.links
        if other.url.identity == link.url.identity
    }
    return len(majors) > 1


def _version_hints(context: MergeContext, failed: set[str]) -> None:
    """Tell of specifications that are linked in incompatible versions, though nothing of them is composed."""
    seen: dict[str, Link] = {}
    for subgraph in context.subgraphs:
        for link in subgraph.links.links:
            seen.setdefault(link.url.identity, link)
    for identity, link in seen.items():
        if identity not in failed and identity != FEDERATION_IDENTITY and _major_mismatch(context, link):
            message = f'Subgraphs link different major versions of "{identity}"'
            context.hint(HintCode.DIRECTIVE_COMPOSITION_INFO, message, {})


def _is_consistent(context: MergeContext, group: list[_Request]) -> bool:
    """Whether all subgraphs that export one directive call it the same; hints for those that only link it."""
    first = group[0]
    names = {request.name for request in group}
    if len(names) > 1:
        found = quoted(sorted(f"@{name}" for name in names))
        message = f'"@{first.element}" of "{first.link.url.identity}" is composed under different names: {found}'
        context.error(ErrorCode.DIRECTIVE_COMPOSITION_ERROR, message, {r.index: r.application for r in group})
        return False
    exporting = {request.index for request in group}
    for index, subgraph in enumerate(context.subgraphs):
        link = subgraph.links.by_identity(first.link.url.identity)
        if index in exporting or link is None:
            continue
        name = next((i.alias[1:] for i in link.imports if i.element == f"@{first.element}"), first.name)
        if name != first.name:
            message = f'"@{first.name}" is called "@{name}" in subgraph "{subgraph.name}", which does not compose it'
            context.hint(HintCode.DIRECTIVE_COMPOSITION_WARN, message, {})
    return True


def _ambiguous_names(context: MergeContext, by_name: Mapping[str, list[_Request]]) -> None:
    for name, requests in by_name.items():
        elements = {(request.link.url.identity, request.element) for request in requests}
        if len(elements) > 1:
            message = f'"@{name}" is to be composed, but is another directive in other subgraphs'
            context.error(ErrorCode.DIRECTIVE_COMPOSITION_ERROR, message, {r.index: r.application for r in requests})


def _reserved_names(context: MergeContext, requests: list[_Request]) -> None:
    """The supergraph links the join specification, whose prefix no imported name may have."""
    for request in requests:
        if request.name.startswith("join__"):
            message = f'"@{request.name}" reads like an element of {JOIN_IDENTITY}; import it under another name'
            context.error(ErrorCode.INVALID_LINK_DIRECTIVE_USAGE, message, {request.index: request.application})


def _newest(context: MergeContext, group: list[_Request]) -> DirectiveDefinition:
    """The definition of the highest version, with the first description that there is."""
    newest = max(group, key=lambda request: request.link.url.version)
    definitions = [context.subgraphs[request.index].schema.directives[request.name] for request in group]
    description = next((definition.description for definition in definitions if definition.description), None)
    return replace(context.subgraphs[newest.index].schema.directives[newest.name], description=description)


def _links(context: MergeContext, groups: list[list[_Request]]) -> Iterator[SupergraphLink]:
    by_identity: dict[str, list[_Request]] = {}
    for group in groups:
        by_identity.setdefault(group[0].link.url.identity, []).extend(group)
    for requests in by_identity.values():
        newest = max((request.link for request in requests), key=lambda link: link.url.version)
        elements = dict.fromkeys((request.element, request.name) for request in requests)
        imports = tuple((f"@{element}", f"@{name}") for element, name in elements)
        yield SupergraphLink(str(newest.url), newest.purpose, imports)

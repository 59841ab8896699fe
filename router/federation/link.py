"""``@link`` applications: which specifications a schema uses, and under which names.

``@link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", {name: "@tag", as: "@label"}])`` makes
``@key`` and ``@label`` names of Federation's elements; all its other elements are ``@federation__<name>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import DirectiveNode
from graphql.pyutils import suggestion_list

from router.federation.connect_spec import CONNECT_DIRECTIVES, CONNECT_IDENTITY, CONNECT_TYPES
from router.federation.directives import (
    CORE_FEATURES,
    NEWEST_VERSION,
    CoreFeature,
    directives_of_version,
    types_of_version,
)
from router.federation.error_codes import ErrorCode
from router.federation.feature_url import (
    FEDERATION_IDENTITY,
    LINK_IDENTITY,
    FeatureUrl,
    FeatureUrlError,
    Version,
    parse_feature_url,
)
from router.federation.literals import EnumLiteral, Literal, ObjectLiteral, literal_from_node, print_literal

_OLDEST_FEATURE = Version(0, 1)
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


@dataclass(frozen=True, slots=True)
class LinkImport:
    """An imported element and its name in the schema; directives carry their ``@`` in both."""

    element: str
    alias: str


@dataclass(frozen=True, slots=True)
class Link:
    """One linked specification; ``prefix`` is what stands before ``__`` in names that are not imported."""

    url: FeatureUrl
    prefix: str
    imports: tuple[LinkImport, ...]
    purpose: str | None
    node: DirectiveNode | None

    def directive_name(self, element: str) -> str:
        """The name in the schema, without ``@``, of the specification's directive ``element``."""
        for imported in self.imports:
            if imported.element == f"@{element}":
                return imported.alias[1:]
        return self.prefix if element == self.url.name else f"{self.prefix}__{element}"

    def type_name(self, element: str) -> str:
        """The name in the schema of the specification's type ``element``."""
        for imported in self.imports:
            if imported.element == element:
                return imported.alias
        return f"{self.prefix}__{element}"


_LINK_ITSELF = Link(FeatureUrl(LINK_IDENTITY, "link", Version(1, 0)), "link", (), None, None)
"""Every schema that links anything has the link specification, whether it links it or not."""


@dataclass(frozen=True, slots=True)
class LinkProblem:
    """A ``@link`` that cannot be read, as data for a composition error."""

    code: ErrorCode
    message: str
    node: DirectiveNode


@dataclass(frozen=True, slots=True)
class Links:
    """All links of a schema and the name that ``@link`` itself has in it."""

    links: tuple[Link, ...] = ()
    link_directive: str = "link"

    def by_identity(self, identity: str) -> Link | None:
        """The link of the specification ``identity``, or None."""
        return next((link for link in self.links if link.url.identity == identity), None)

    @property
    def federation(self) -> Link | None:
        """The link of Federation itself, or None in a Federation 1 schema."""
        return self.by_identity(FEDERATION_IDENTITY)

    def resolve_directive(self, name: str) -> tuple[Link, str] | None:
        """The specification and its element that the schema's directive ``name`` (without ``@``) stands for."""
        for link in self.links:
            for imported in link.imports:
                if imported.alias == f"@{name}":
                    return link, imported.element[1:]
        prefix, separator, element = name.partition("__")
        for link in self.links:
            if link.prefix == prefix and (separator or name == prefix):
                return link, element or link.url.name
        return None


def read_links(nodes: Sequence[DirectiveNode]) -> tuple[Links, tuple[LinkProblem, ...]]:
    """Read the directives applied to a schema; what is not ``@link`` is passed over."""
    link_directive = _link_directive_name(nodes)
    links: list[Link] = []
    problems: list[LinkProblem] = []
    for node in nodes:
        if node.name.value != link_directive:
            continue
        link = _read_link(node, problems)
        if link is None:
            continue
        if any(other.url.identity == link.url.identity for other in links):
            problems.append(_problem(node, f'The specification "{link.url.identity}" is linked twice; keep one @link'))
        else:
            links.append(link)
    problems.extend(_name_conflicts(links))
    return Links(tuple(links), link_directive), tuple(problems)


def _link_directive_name(nodes: Sequence[DirectiveNode]) -> str:
    """The name of ``@link``, which a link of the link specification itself may change."""
    for node in nodes:
        arguments = _arguments(node)
        url, alias, imports = arguments.get("url"), arguments.get("as"), arguments.get("import")
        if not isinstance(url, str) or not url.startswith(f"{LINK_IDENTITY}/"):
            continue
        name = alias if isinstance(alias, str) else "link"
        for value in imports if isinstance(imports, tuple) else ():
            if isinstance(value, ObjectLiteral) and value.get("name") == "@link" and isinstance(value.get("as"), str):
                name = str(value.get("as"))[1:]
        if node.name.value == name:
            return name
    return "link"


def _arguments(node: DirectiveNode) -> dict[str, Literal]:
    return {argument.name.value: literal_from_node(argument.value) for argument in node.arguments or ()}


def _problem(
    node: DirectiveNode, message: str, code: ErrorCode = ErrorCode.INVALID_LINK_DIRECTIVE_USAGE
) -> LinkProblem:
    return LinkProblem(code, message, node)


def _read_link(node: DirectiveNode, problems: list[LinkProblem]) -> Link | None:
    arguments = _arguments(node)
    url_text = arguments.get("url")
    if not isinstance(url_text, str):
        problems.append(_problem(node, '@link needs a url, as in url: "https://specs.apollo.dev/federation/v2.3"'))
        return None
    try:
        url = parse_feature_url(url_text)
    except FeatureUrlError as error:
        problems.append(_problem(node, error.message, ErrorCode.INVALID_LINK_IDENTIFIER))
        return None
    if url.identity == FEDERATION_IDENTITY and not Version(2, 0) <= url.version <= NEWEST_VERSION:
        message = f"Federation {url.version} is not known; the versions are v2.0 to {NEWEST_VERSION}"
        problems.append(_problem(node, message, ErrorCode.UNKNOWN_FEDERATION_LINK_VERSION))
        return None
    alias, purpose = arguments.get("as"), arguments.get("for")
    prefix = alias if isinstance(alias, str) else url.name
    fault = _prefix_fault(prefix, is_chosen=isinstance(alias, str))
    if fault:
        message = (
            f'The specification "{url.identity}" cannot be linked as "{prefix}", which {fault}; rename it with "as"'
        )
        problems.append(_problem(node, message))
        return None
    found = len(problems)
    imports = tuple(_read_imports(node, arguments.get("import"), problems))
    if len(problems) == found:
        problems.extend(_unknown_elements(node, url, imports))
    return Link(url, prefix, imports, purpose.name if isinstance(purpose, EnumLiteral) else None, node)


def _prefix_fault(prefix: str, *, is_chosen: bool) -> str | None:
    """What is wrong with a prefix; one that the URL gives need not be a name, as it need not be used."""
    if is_chosen and not _NAME.fullmatch(prefix):
        return "is not a GraphQL name"
    if "__" in prefix:
        return 'contains "__"'
    return 'ends in "_"' if prefix.endswith("_") else None


def _read_imports(node: DirectiveNode, value: Literal, problems: list[LinkProblem]) -> Iterator[LinkImport]:
    for entry in value if isinstance(value, tuple) else () if value is None else (value,):
        imported = _read_import(entry)
        if isinstance(imported, str):
            problems.append(_problem(node, f"The import {print_literal(entry)} of @link {imported}"))
        else:
            yield imported


def _read_import(entry: Literal) -> LinkImport | str:
    """The import, or what is wrong with it as the end of a sentence."""
    if isinstance(entry, str):
        return LinkImport(entry, entry) if _is_element(entry) else "must be a GraphQL name, directives with a leading @"
    if not isinstance(entry, ObjectLiteral):
        return 'must be a string or an object {name: "<element>", as: "<alias>"}'
    fields = dict(entry.fields)
    unknown = [name for name in fields if name not in {"name", "as"}]
    if unknown:
        return f'has the unknown field "{unknown[0]}"'
    if "name" not in fields:
        return 'lacks its "name"'
    name, alias = fields["name"], fields.get("as", fields["name"])
    for key, text in (("name", name), ("as", alias)):
        if not isinstance(text, str) or not _is_element(text):
            return f'must have a GraphQL name as its "{key}"'
    name, alias = str(name), str(alias)
    if name.startswith("@") != alias.startswith("@"):
        return "must have a leading @ in both name and alias, or in neither"
    return LinkImport(name, alias)


def _is_element(text: str) -> bool:
    return _NAME.fullmatch(text.removeprefix("@")) is not None


def known_elements(url: FeatureUrl) -> frozenset[str] | None:
    """The elements (directives with ``@``) of the specification ``url``; None if the specification is not known."""
    if url.identity == FEDERATION_IDENTITY:
        directives: Sequence[str] = tuple(directives_of_version(url.version))
        types = types_of_version(url.version)
    elif url.identity == LINK_IDENTITY:
        directives, types = ("link",), ("Purpose", "Import")
    elif url.identity == CONNECT_IDENTITY:
        directives, types = tuple(CONNECT_DIRECTIVES), CONNECT_TYPES
    else:
        feature = linked_core_feature(url)
        if feature is None:
            return None
        directives, types = feature.directives, feature.types
    return frozenset((*types, *(f"@{name}" for name in directives)))


def linked_core_feature(url: FeatureUrl) -> CoreFeature | None:
    """The core feature that a specification's URL names; None for another one, or a version that is not known."""
    for feature in CORE_FEATURES:
        if url.is_apollo_spec and feature.name == url.name:
            newest = Version(*map(int, feature.version[1:].split(".")))
            return feature if _OLDEST_FEATURE <= url.version <= newest else None
    return None


def _unknown_elements(node: DirectiveNode, url: FeatureUrl, imports: Sequence[LinkImport]) -> Iterator[LinkProblem]:
    known = known_elements(url)
    for imported in imports if known is not None else ():
        if known is not None and imported.element not in known:
            other = imported.element[1:] if imported.element.startswith("@") else f"@{imported.element}"
            near = [other] if other in known else suggestion_list(imported.element, sorted(known))
            hint = f'; did you mean "{near[0]}"?' if near else ""
            yield _problem(node, f'The import "{imported.element}" is not an element of {url}{hint}')


def _name_conflicts(links: Sequence[Link]) -> Iterator[LinkProblem]:
    """Imports whose alias reads like the prefixed name of another element, or that two elements share."""
    by_prefix = {_LINK_ITSELF.prefix: _LINK_ITSELF} | {link.prefix: link for link in links}
    taken: dict[str, tuple[Link, LinkImport]] = {}
    for link in links:
        aliases: dict[str, LinkImport] = {}
        for imported in link.imports:
            fault = _prefixed_fault(link, imported, by_prefix)
            other_link, other = taken.setdefault(imported.alias, (link, imported))
            if fault is None and (other_link is not link or other.element != imported.element):
                fault = f'as this is the name of "{other.element}" of {other_link.url} already'
            if fault is None and aliases.setdefault(imported.element, imported).alias != imported.alias:
                fault = f'as it is imported as "{aliases[imported.element].alias}" already'
            if fault is not None and link.node is not None:
                message = f'"{imported.element}" of {link.url} cannot be imported as "{imported.alias}", {fault}'
                yield _problem(link.node, f"{message}; choose another alias")


def _prefixed_fault(link: Link, imported: LinkImport, by_prefix: Mapping[str, Link]) -> str | None:
    """``@tag__x`` and ``@tag`` itself are names of the specification that is linked as ``tag``."""
    prefix, separator, rest = imported.alias.removeprefix("@").partition("__")
    owner = by_prefix.get(prefix) if separator or imported.alias.startswith("@") else None
    element = imported.element.removeprefix("@")
    if owner is None or (owner is link and element == (rest if separator else link.url.name)):
        return None
    return f"which is the prefixed name of an element of {owner.url}"

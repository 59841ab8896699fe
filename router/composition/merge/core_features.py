"""The specifications that the supergraph links: those whose directives some subgraph applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from router.composition.merge.applied_directives import MergedDirective, federation_directive
from router.composition.merge.context import MergeContext
from router.composition.schema import Application, Schema
from router.composition.words import human_list, subgraphs_named
from router.federation.directives import CORE_FEATURES, CoreFeature
from router.federation.error_codes import ErrorCode
from router.federation.feature_url import APOLLO_SPECS, FEDERATION_IDENTITY
from router.federation.join_spec import feature_definitions


@dataclass(frozen=True, slots=True)
class SupergraphLink:
    """One ``@link`` of the supergraph; ``imports`` pairs each element (with ``@``) with its name in the supergraph."""

    url: str
    purpose: str | None = None
    imports: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CoreFeatures:
    """The linked features with their definitions as SDL, and the directives to carry over."""

    links: tuple[SupergraphLink, ...]
    directives: tuple[MergedDirective, ...]
    directive_definitions: Mapping[str, str]
    type_definitions: Mapping[str, str]


def applications_of(schema: Schema) -> Iterator[Application]:
    """Every directive applied anywhere in a schema."""
    yield from schema.applications
    for type_ in schema.types.values():
        yield from type_.directives
        for field in type_.fields.values():
            yield from field.directives
            for argument in field.arguments.values():
                yield from argument.directives
        for value in type_.inputs.values():
            yield from value.directives
        for enum_value in type_.values.values():
            yield from enum_value.directives
    for definition in schema.directives.values():
        for argument in definition.arguments.values():
            yield from argument.directives


def read_core_features(context: MergeContext) -> CoreFeatures:
    """Find the features in use; ``LINK_IMPORT_NAME_MISMATCH`` where subgraphs call one directive differently."""
    names = _names_in_use(context)
    links: list[SupergraphLink] = []
    merged: list[MergedDirective] = []
    directives: dict[str, str] = {}
    types: dict[str, str] = {}
    for feature in CORE_FEATURES:
        used = {spec: names[spec] for spec in feature.directives if spec in names}
        if not used:
            continue
        if feature.name == "cacheTag":
            links.append(SupergraphLink(_url(feature), feature.purpose))
            continue
        in_supergraph = {spec: used.get(spec, _default_name(feature, spec)) for spec in feature.directives}
        in_supergraph |= {"fromContext": "context__fromContext"} if feature.name == "context" else {}
        links.append(_link(feature, in_supergraph))
        merged.extend(federation_directive(spec, in_supergraph[spec]) for spec in used if spec != "fromContext")
        feature_directives, feature_types = feature_definitions(feature, in_supergraph)
        directives |= feature_directives
        types |= feature_types
    return CoreFeatures(tuple(links), tuple(merged), directives, types)


def _url(feature: CoreFeature) -> str:
    return f"{APOLLO_SPECS}/{feature.name}/{feature.version}"


def _default_name(feature: CoreFeature, spec: str) -> str:
    return spec if spec == feature.name else f"{feature.name}__{spec}"


def _link(feature: CoreFeature, names: Mapping[str, str]) -> SupergraphLink:
    imports = tuple((f"@{spec}", f"@{name}") for spec, name in names.items() if name != _default_name(feature, spec))
    return SupergraphLink(_url(feature), feature.purpose, imports)


def _names_in_use(context: MergeContext) -> dict[str, str]:
    """The name of each applied directive of a core feature; the first one, with an error, where they differ."""
    specs = {spec for feature in CORE_FEATURES for spec in feature.directives}
    found: dict[str, dict[str, list[int]]] = {}
    for index, subgraph in enumerate(context.subgraphs):
        used = {a.spec: a.name for a in applications_of(subgraph.schema) if a.spec in specs}
        for spec, name in used.items():
            found.setdefault(spec, {}).setdefault(name, []).append(index)
    for spec, by_name in found.items():
        if len(by_name) > 1 and spec not in {"fromContext", "cacheTag"}:
            variants = human_list(
                [f'"@{n}" in {subgraphs_named([context.name(i) for i in ids])}' for n, ids in by_name.items()]
            )
            message = f'The directive "@{spec}" of {FEDERATION_IDENTITY} has different names: it is {variants}'
            context.error(ErrorCode.LINK_IMPORT_NAME_MISMATCH, message, {})
    return {spec: next(iter(by_name)) for spec, by_name in found.items()}

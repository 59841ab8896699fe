"""The directives of the Federation specification: where each may be applied, with what, and since which version.

The core features (``tag``, ``cost`` and others) are the specifications under which a supergraph links them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from router.federation.feature_url import Version
from router.federation.literals import Literal

OLDEST_VERSION = Version(2, 0)
NEWEST_VERSION = Version(2, 14)
FEDERATION_1_VERSION = Version(2, 4)
"""What a Federation 1 subgraph counts as once it is upgraded."""


class NoDefault:
    """The type of :data:`NO_DEFAULT`, which tells "no default value" from a default of null."""

    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT = NoDefault()


@dataclass(frozen=True, slots=True)
class ArgumentSpec:
    """An argument; ``type`` names types of the specification without prefix, as in ``FieldSet!``."""

    name: str
    type: str
    default: Literal | NoDefault = NO_DEFAULT
    since: Version = OLDEST_VERSION

    @property
    def is_required(self) -> bool:
        """Whether an application must give it."""
        return self.type.endswith("!") and isinstance(self.default, NoDefault)


@dataclass(frozen=True, slots=True)
class DirectiveSpec:
    """A directive as one version of a specification defines it."""

    name: str
    locations: tuple[str, ...]
    arguments: tuple[ArgumentSpec, ...] = ()
    repeatable: bool = False
    since: Version = OLDEST_VERSION
    later_locations: Mapping[str, Version] = field(default_factory=dict)
    repeatable_since: Version | None = None

    def at(self, version: Version) -> DirectiveSpec:
        """The definition in ``version``, without what came later."""
        locations = (
            *self.locations,
            *(location for location, since in self.later_locations.items() if since <= version),
        )
        arguments = tuple(argument for argument in self.arguments if argument.since <= version)
        repeatable = self.repeatable or (self.repeatable_since is not None and self.repeatable_since <= version)
        return DirectiveSpec(self.name, locations, arguments, repeatable, self.since)


EVERY_ELEMENT = (
    "FIELD_DEFINITION",
    "OBJECT",
    "INTERFACE",
    "UNION",
    "ARGUMENT_DEFINITION",
    "SCALAR",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
)
_AUTH_LOCATIONS = ("FIELD_DEFINITION", "OBJECT", "INTERFACE", "SCALAR", "ENUM")

_FIELDS = ArgumentSpec("fields", "FieldSet!")

DIRECTIVES: Mapping[str, DirectiveSpec] = {
    spec.name: spec
    for spec in (
        DirectiveSpec(
            "key",
            ("OBJECT", "INTERFACE"),
            (_FIELDS, ArgumentSpec("resolvable", "Boolean", default=True)),
            repeatable=True,
        ),
        DirectiveSpec("requires", ("FIELD_DEFINITION",), (_FIELDS,)),
        DirectiveSpec("provides", ("FIELD_DEFINITION",), (_FIELDS,)),
        DirectiveSpec("external", ("OBJECT", "FIELD_DEFINITION"), (ArgumentSpec("reason", "String"),)),
        DirectiveSpec(
            "tag",
            EVERY_ELEMENT,
            (ArgumentSpec("name", "String!"),),
            repeatable=True,
            later_locations={"SCHEMA": Version(2, 3)},
        ),
        DirectiveSpec("extends", ("OBJECT", "INTERFACE")),
        DirectiveSpec("shareable", ("OBJECT", "FIELD_DEFINITION"), repeatable_since=Version(2, 2)),
        DirectiveSpec("inaccessible", EVERY_ELEMENT),
        DirectiveSpec(
            "override",
            ("FIELD_DEFINITION",),
            (ArgumentSpec("from", "String!"), ArgumentSpec("label", "String", since=Version(2, 7))),
        ),
        DirectiveSpec(
            "composeDirective", ("SCHEMA",), (ArgumentSpec("name", "String"),), repeatable=True, since=Version(2, 1)
        ),
        DirectiveSpec("interfaceObject", ("OBJECT",), since=Version(2, 3)),
        DirectiveSpec("authenticated", _AUTH_LOCATIONS, since=Version(2, 5)),
        DirectiveSpec(
            "requiresScopes", _AUTH_LOCATIONS, (ArgumentSpec("scopes", "[[Scope!]!]!"),), since=Version(2, 5)
        ),
        DirectiveSpec("policy", _AUTH_LOCATIONS, (ArgumentSpec("policies", "[[Policy!]!]!"),), since=Version(2, 6)),
        DirectiveSpec(
            "context",
            ("INTERFACE", "OBJECT", "UNION"),
            (ArgumentSpec("name", "String!"),),
            repeatable=True,
            since=Version(2, 8),
        ),
        DirectiveSpec(
            "fromContext",
            ("ARGUMENT_DEFINITION",),
            (ArgumentSpec("field", "ContextFieldValue"),),
            since=Version(2, 8),
        ),
        DirectiveSpec(
            "cost",
            ("ARGUMENT_DEFINITION", "ENUM", "FIELD_DEFINITION", "INPUT_FIELD_DEFINITION", "OBJECT", "SCALAR"),
            (ArgumentSpec("weight", "Int!"),),
            since=Version(2, 9),
        ),
        DirectiveSpec(
            "listSize",
            ("FIELD_DEFINITION",),
            (
                ArgumentSpec("assumedSize", "Int"),
                ArgumentSpec("slicingArguments", "[String!]"),
                ArgumentSpec("sizedFields", "[String!]"),
                ArgumentSpec("requireOneSlicingArgument", "Boolean", default=True),
            ),
            since=Version(2, 9),
        ),
        DirectiveSpec(
            "cacheTag",
            ("OBJECT", "FIELD_DEFINITION"),
            (ArgumentSpec("format", "String!"),),
            repeatable=True,
            since=Version(2, 12),
        ),
    )
}

TYPES_SINCE: Mapping[str, Version] = {
    "FieldSet": OLDEST_VERSION,
    "Scope": Version(2, 5),
    "Policy": Version(2, 6),
    "ContextFieldValue": Version(2, 8),
}
"""The scalars of the specification, each with the version that brought it."""

FEDERATION_1_DIRECTIVES = ("key", "requires", "provides", "external", "extends", "tag")
EXECUTABLE_LOCATIONS = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)


@dataclass(frozen=True, slots=True)
class CoreFeature:
    """A specification that a supergraph links when a directive of it is applied somewhere."""

    name: str
    version: str
    directives: tuple[str, ...]
    types: tuple[str, ...] = ()
    purpose: str | None = None


CORE_FEATURES = (
    CoreFeature("tag", "v0.3", ("tag",)),
    CoreFeature("inaccessible", "v0.2", ("inaccessible",), purpose="SECURITY"),
    CoreFeature("authenticated", "v0.1", ("authenticated",), purpose="SECURITY"),
    CoreFeature("requiresScopes", "v0.1", ("requiresScopes",), ("Scope",), "SECURITY"),
    CoreFeature("policy", "v0.1", ("policy",), ("Policy",), "SECURITY"),
    CoreFeature("context", "v0.1", ("context", "fromContext"), ("ContextFieldValue",), "SECURITY"),
    CoreFeature("cost", "v0.1", ("cost", "listSize")),
    CoreFeature("cacheTag", "v0.1", ("cacheTag",), purpose="EXECUTION"),
)


def directives_of_version(version: Version) -> dict[str, DirectiveSpec]:
    """All directives that Federation ``version`` defines, by name."""
    return {name: spec.at(version) for name, spec in DIRECTIVES.items() if spec.since <= version}


def types_of_version(version: Version) -> tuple[str, ...]:
    """The scalars that Federation ``version`` defines."""
    return tuple(name for name, since in TYPES_SINCE.items() if since <= version)

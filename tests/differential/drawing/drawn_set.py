"""A set of subgraphs while it is drawn: types by subgraph, who resolves which field, and which features it has."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

LINK = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", import: ["@key", "@external",
  "@requires", "@provides", "@shareable", "@override", "@inaccessible", "@interfaceObject", "@context", "@fromContext"])
"""


@dataclass(slots=True)
class DrawnField:
    """A field in one subgraph; ``directives`` beyond ``@shareable``, which follows from who else has it."""

    name: str
    arguments: str
    type: str
    directives: list[str] = field(default_factory=list)
    external: bool = False

    @property
    def signature(self) -> str:
        """Arguments and type."""
        return f"{self.arguments}: {self.type}"

    @property
    def target(self) -> str:
        """The name at the core of the type."""
        return self.type.strip("[]!")


@dataclass(slots=True)
class DrawnType:
    """A type in one subgraph: ``kind`` is the keyword, ``members`` those of a union."""

    kind: str
    name: str
    keys: list[str] = field(default_factory=list)
    unresolvable: list[str] = field(default_factory=list)
    implements: list[str] = field(default_factory=list)
    directives: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    fields: dict[str, DrawnField] = field(default_factory=dict)

    def add(self, name: str, type_: str, arguments: str = "", *directives: str, external: bool = False) -> DrawnField:
        """Give the type a field, if it has none of that name."""
        return self.fields.setdefault(name, DrawnField(name, arguments, type_, list(directives), external))


class DrawnSet:
    """What the steps of drawing work on; ``features`` counts what was drawn."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names = [f"s{i}" for i in range(rng.randint(2, 5))]
        self.types: dict[str, dict[str, DrawnType]] = {name: {} for name in self.names}
        self.entities: list[str] = []
        self.features: Counter[str] = Counter()
        self.must_share: set[tuple[str, str]] = set()
        self.roots: dict[str, str] = {}

    # -- asking ----------------------------------------------------------------------------------------------------

    def homes(self, type_name: str) -> list[str]:
        """The subgraphs that have a type."""
        return [name for name in self.names if type_name in self.types[name]]

    def owners(self, type_name: str, field_name: str) -> list[str]:
        """The subgraphs that resolve a field."""
        return [
            name
            for name in self.homes(type_name)
            if (found := self.types[name][type_name].fields.get(field_name)) is not None and not found.external
        ]

    def entities_in(self, subgraph: str) -> list[str]:
        """The entities that a subgraph has."""
        return [name for name in self.entities if name in self.types[subgraph]]

    def found(self, type_name: str, field_name: str) -> DrawnField:
        """A field as one of its owners has it."""
        return self.types[self.owners(type_name, field_name)[0]][type_name].fields[field_name]

    def field_names(self, type_name: str) -> list[str]:
        """All fields of a type that some subgraph resolves."""
        names = dict.fromkeys(n for home in self.homes(type_name) for n in self.types[home][type_name].fields)
        return [name for name in names if self.owners(type_name, name)]

    def chance(self, share: float) -> bool:
        """True in ``share`` of all cases."""
        return self.rng.random() < share

    def some(self, items: Iterable[str], least: int = 1) -> list[str]:
        """A random part of ``items``, in random order."""
        pool = list(items)
        return self.rng.sample(pool, self.rng.randint(min(least, len(pool)), len(pool)))

    # -- changing --------------------------------------------------------------------------------------------------

    def note(self, *features: str) -> None:
        """Count features."""
        self.features.update(features)

    def type(self, subgraph: str, kind: str, name: str) -> DrawnType:
        """The type of that name in a subgraph, a new one if it has none."""
        return self.types[subgraph].setdefault(name, DrawnType(kind, name))

    def root(self, subgraph: str, name: str, type_: str, arguments: str = "", *directives: str) -> DrawnField:
        """A field of ``Query``."""
        return self.type(subgraph, "type", "Query").add(name, type_, arguments, *directives)

    # -- printing --------------------------------------------------------------------------------------------------

    def sdl(self) -> dict[str, str]:
        """Every subgraph as text."""
        return {name: self._print(name) for name in self.names if self.types[name]}

    def _print(self, subgraph: str) -> str:
        plain = self._can_be_federation_1(subgraph) and self.chance(0.5)
        if plain:
            self.note("federation 1")
        parts = [] if plain else [LINK]
        renamed = self.roots.get(subgraph) if not plain else None
        if renamed:
            self.note("renamed root")
            parts.append(f"schema {{ query: {renamed} }}")
        for type_ in self.types[subgraph].values():
            text = self._print_type(subgraph, type_, plain=plain)
            parts.append(text.replace("type Query ", f"type {renamed} ") if renamed else text)
        used = "\n".join(self._print_used(subgraph, "\n".join(parts)))
        return "\n".join([*parts, used.replace(" @inaccessible", "") if plain else used]) + "\n"

    def _can_be_federation_1(self, subgraph: str) -> bool:
        types = self.types[subgraph].values()
        if any(t.directives or t.unresolvable or (t.keys and t.kind == "interface") for t in types):
            return False
        return not any(
            "@override" in d or "@inaccessible" in d for t in types for f in t.fields.values() for d in f.directives
        )

    def _print_type(self, subgraph: str, type_: DrawnType, *, plain: bool) -> str:
        if type_.kind == "union":
            return f"union {type_.name} = {' | '.join(type_.members)}"
        head = f"{type_.kind} {type_.name}"
        if type_.implements:
            head += f" implements {' & '.join(type_.implements)}"
        keys = [
            f'@key(fields: "{key}"{", resolvable: false" if key in type_.unresolvable else ""})' for key in type_.keys
        ]
        fields = [self._print_field(subgraph, type_, one, plain=plain) for one in type_.fields.values()]
        return f"{' '.join([head, *keys, *type_.directives])} {{ {' '.join(fields)} }}"

    def _print_field(self, subgraph: str, type_: DrawnType, one: DrawnField, *, plain: bool) -> str:
        directives = list(one.directives)
        if one.external:
            directives.append("@external")
        elif not plain and type_.kind == "type" and self._is_shared(type_.name, one.name):
            directives.append("@shareable")
        return " ".join([f"{one.name}{one.signature}", *directives])

    def _is_shared(self, type_name: str, name: str) -> bool:
        if type_name == "Mutation":
            return False
        owners = self.owners(type_name, name)
        stolen = sum("@override" in d for o in owners for d in self.types[o][type_name].fields[name].directives)
        return len(owners) - stolen > 1 or (type_name, name) in self.must_share

    def _print_used(self, subgraph: str, text: str) -> list[str]:
        """The types that several subgraphs share, where they are used; of ``Hue`` each knows its own values."""
        shown = [name for name in COMMON if name in text]
        if "Wish" in shown and "Color" not in shown:
            shown.append("Color")
        hues = ("{ DARK LIGHT }", "{ DARK LIGHT PALE }", "{ BRIGHT DARK LIGHT }")
        own = [f"enum Hue {hues[self.names.index(subgraph) % len(hues)]}"] if "Hue" in text else []
        return [*(COMMON[name] for name in shown), *own]


COMMON = {
    "Color": "enum Color { RED GREEN BLUE }",
    "Mood": "enum Mood { GOOD FAIR @inaccessible BAD }",
    "Stamp": "scalar Stamp",
    "Wish": "input Wish { size: Int = 3 like: [ID!] color: Color! = RED deep: Wish }",
}

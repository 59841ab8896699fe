"""Random sets of subgraphs that most often compose: entities over several subgraphs, and all that joins them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

LINK = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external",
  "@requires", "@provides", "@shareable", "@override", "@inaccessible", "@interfaceObject"])
"""
INTERFACE_OBJECT = """
type I @interfaceObject @key(fields: "id") { id: ID! extra: String extras(size: Int): [Int!] friend: I }
"""
KEY_FORMS = ("id", "sku", "code region", "ref { serial }", "ref { serial } sku", "marks")
KEY_FIELDS = {
    "id": "ID!",
    "sku": "String!",
    "code": "Int!",
    "region": "ID!",
    "ref": "Ref!",
    "marks": "[ID!]!",
}
LEAVES = ("Int", "String", "Int!", "String!", "[String]", "[[Int!]]", "Color", "Stamp")
LINKS = ("{}", "{}", "{}!", "[{}!]!", "[{}]", "[[{}!]!]")


@dataclass(slots=True)
class _Entity:
    """An entity while it is drawn: its keys and fields by subgraph."""

    name: str
    keys: dict[str, list[str]]
    fields: dict[str, dict[str, str]]
    owned: dict[str, tuple[list[str], str]] = field(default_factory=dict)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)


class SubgraphSetGenerator:
    """Draws one set; ``draw`` gives the SDL of each subgraph by name."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names = [f"s{i}" for i in range(rng.randint(2, 5))]
        self._entities: list[_Entity] = []
        self._values: dict[str, dict[str, list[str]]] = {}
        self._interface_object: str | None = None
        self._provided: dict[tuple[str, str], str] = {}

    def draw(self) -> dict[str, str]:
        """One set of subgraphs."""
        for i in range(self._rng.randint(2, 4)):
            self._entities.append(self._entity(f"E{i}"))
        for entity in self._entities:
            self._add_leaves(entity)
        for entity in self._entities:
            self._add_links(entity)
            self._add_value(entity)
        for entity in self._entities:
            for subgraph in entity.keys:
                self._add_computed(entity, subgraph)
        if self._rng.random() < 0.3:
            self._interface_object = self._draw_interface_object()
        provided = {(e.name, name): self._provides(e, name) for e in self._entities for name in e.keys}
        self._provided.update(provided)
        return {name: LINK + "\n".join(self._definitions(name)) for name in self._names}

    # -- entities --------------------------------------------------------------------------------------------------

    def _entity(self, name: str) -> _Entity:
        rng = self._rng
        homes = rng.sample(self._names, rng.randint(1, len(self._names)))
        forms = rng.sample(KEY_FORMS, rng.choice((1, 1, 2, 3)))
        if rng.random() < 0.6 and "id" not in forms:
            forms[0] = "id"
        keys = {home: list(forms) if home == homes[0] else [rng.choice(forms)] for home in homes}
        entity = _Entity(name, keys, {home: {} for home in homes})
        for home, own in keys.items():
            for form in own:
                for word in form.replace("{ serial }", "").split():
                    entity.fields[home][word] = f"{word}: {KEY_FIELDS[word]} @shareable"
        return entity

    def _add_leaves(self, entity: _Entity) -> None:
        rng = self._rng
        homes = list(entity.keys)
        for i in range(rng.randint(2, 5)):
            name, type_ = f"f{i}", rng.choice(LEAVES)
            asked = rng.choice(("", "", "", "(size: Int)", "(color: Color, like: [ID!])"))
            owners = rng.sample(homes, min(rng.choice((1, 1, 1, 2)), len(homes)))
            entity.owned[name] = (owners, f"{asked}: {type_}")
            for owner in owners:
                shared = " @shareable" if len(owners) > 1 else ""
                hidden = " @inaccessible" if rng.random() < 0.05 else ""
                entity.fields[owner][name] = f"{name}{asked}: {type_}{shared}{hidden}"
            if len(owners) == 1 and len(homes) > 1 and rng.random() < 0.15:
                thief = rng.choice([home for home in homes if home not in owners])
                entity.fields[thief][name] = f'{name}{asked}: {type_} @override(from: "{owners[0]}")'
                entity.owned[name] = ([thief, *owners], f"{asked}: {type_}")

    def _add_links(self, entity: _Entity) -> None:
        rng = self._rng
        for subgraph in entity.keys:
            targets = [other for other in self._entities if subgraph in other.keys]
            for i in range(rng.randint(0, 2)):
                target = rng.choice(targets)
                name, type_ = f"l{i}_{subgraph}", rng.choice(LINKS).format(target.name)
                entity.links[name] = (subgraph, target.name)
                entity.fields[subgraph][name] = f"{name}: {type_}"
                entity.owned[name] = ([subgraph], f": {type_}")

    def _add_value(self, entity: _Entity) -> None:
        """An object without a key whose fields are spread over the subgraphs that return it."""
        if self._rng.random() > 0.4:
            return
        name = f"V{entity.name}"
        spread = {f"v{i}": self._rng.sample(self._names, self._rng.randint(1, len(self._names))) for i in range(3)}
        self._values[name] = {}
        for home in entity.keys:
            own = [word for word, homes in spread.items() if home in homes] or ["v9"]
            self._values[name][home] = own
            entity.fields[home]["value"] = f"value: {name} @shareable"

    def _add_computed(self, entity: _Entity, subgraph: str) -> None:
        """A field with ``@requires``, of leaves, of fields of linked entities, or of computed fields."""
        rng = self._rng
        fields = entity.fields[subgraph]
        if rng.random() > 0.5:
            return
        elsewhere = [
            name for name, (owners, _) in entity.owned.items() if subgraph not in owners and name not in fields
        ]
        if not elsewhere:
            return
        parts: list[str] = []
        for name in rng.sample(elsewhere, min(len(elsewhere), rng.randint(1, 2))):
            part = self._required(entity, subgraph, name)
            if part is not None:
                parts.append(part)
                fields[name] = f"{name}{entity.owned[name][1]} @external"
        if parts:
            name = f"c_{subgraph}"
            fields[name] = f'{name}: String @requires(fields: "{" ".join(parts)}")'
            entity.owned[name] = ([subgraph], ": String")

    def _required(self, entity: _Entity, subgraph: str, name: str) -> str | None:
        """The text of a required field; None where the subgraph cannot name what is below it."""
        if name not in entity.links:
            asked = entity.owned[name][1]
            return (
                f"{name}(size: {self._rng.randrange(3)})"
                if asked.startswith("(size") and self._rng.random() < 0.5
                else name
            )
        target = next(other for other in self._entities if other.name == entity.links[name][1])
        if subgraph not in target.keys:
            return None
        known = [word for word in target.fields[subgraph] if word in ("id", "sku", "code")]
        for word, (owners, type_) in target.owned.items():
            if word not in target.fields[subgraph] and not type_.startswith("(") and word.startswith("f") and owners:
                target.fields[subgraph][word] = f"{word}{type_} @external"
                return f"{name} {{ {word} }}"
        return f"{name} {{ {known[0]} }}" if known else None

    # -- interfaces ------------------------------------------------------------------------------------------------

    def _draw_interface_object(self) -> str | None:
        """The subgraph that shall know all entities by ``id`` as one interface object, if that is possible."""
        for entity in self._entities:
            entity.keys.setdefault(self._names[0], [])
            entity.fields.setdefault(self._names[0], {})
            for home, keys in entity.keys.items():
                if "id" not in keys:
                    keys.append("id")
                    entity.fields[home]["id"] = "id: ID! @shareable"
        hosts = [name for name in self._names if not any(name in entity.keys for entity in self._entities)]
        if not hosts:
            hosts = [f"s{len(self._names)}"]
            self._names += hosts
        return hosts[0]

    def _definitions(self, subgraph: str) -> list[str]:
        here = [entity for entity in self._entities if subgraph in entity.keys]
        if subgraph == self._interface_object:
            return [
                INTERFACE_OBJECT,
                f"type Query {{ any_{subgraph}: [I!] }}",
            ]
        roots: list[str] = []
        parts: list[str] = []
        implements = self._interface(subgraph, here, parts, roots)
        for entity in here:
            parts.append(self._entity_definition(entity, subgraph, implements))
            self._add_roots(entity, subgraph, roots)
        for name, homes in self._values.items():
            if subgraph in homes:
                parts.append(f"type {name} {{ {' '.join(f'{word}: Int @shareable' for word in homes[subgraph])} }}")
        if len(here) > 1 and self._rng.random() < 0.4:
            parts.append(f"union U_{subgraph} = {' | '.join(entity.name for entity in self._rng.sample(here, 2))}")
            roots.append(f"u_{subgraph}: [U_{subgraph}]")
        return [*parts, *self._common(parts), *self._root_definitions(subgraph, here, roots)]

    def _interface(self, subgraph: str, here: list[_Entity], parts: list[str], roots: list[str]) -> str:
        """`` implements I``, where this subgraph has the interface."""
        is_keyed = self._interface_object is not None and len(here) == len(self._entities)
        shared = [word for word in ("id", "f0") if here and all(word in entity.fields[subgraph] for entity in here)]
        if self._interface_object is None and (self._rng.random() < 0.5 or len(here) < 2):
            return ""
        if "id" not in shared or (self._interface_object is not None and not is_keyed):
            return ""
        types = {entity.owned["f0"][1] for entity in here} if "f0" in shared else set()
        common = " f0" + types.pop() if len(types) == 1 else ""
        key = '@key(fields: "id") ' if is_keyed else ""
        parts.append(f"interface I {key}{{ id: ID!{common} }}")
        roots += (f"i_{subgraph}: [I!]", f"j_{subgraph}: I")
        return " implements I"

    def _entity_definition(self, entity: _Entity, subgraph: str, implements: str) -> str:
        keys = []
        for form in entity.keys[subgraph]:
            is_free = self._interface_object is None and self._rng.random() < 0.08
            unresolvable = ", resolvable: false" if is_free else ""
            keys.append(f'@key(fields: "{form}"{unresolvable})')
        return f"type {entity.name}{implements} {' '.join(keys)} {{ {' '.join(entity.fields[subgraph].values())} }}"

    # -- roots -----------------------------------------------------------------------------------------------------

    def _add_roots(self, entity: _Entity, subgraph: str, roots: list[str]) -> None:
        provides = self._provided[entity.name, subgraph]
        if self._rng.random() < 0.6:
            roots.append(f"{entity.name.lower()}_{subgraph}(like: ID): {entity.name}{provides}")
        if self._rng.random() < 0.3:
            roots.append(f"all{entity.name}: [{entity.name}!]! @shareable")

    def _provides(self, entity: _Entity, subgraph: str) -> str:
        external = [name for name, text in entity.fields[subgraph].items() if text.endswith("@external")]
        leaves = [name for name in external if name not in entity.links and "(" not in entity.owned[name][1]]
        if not leaves or self._rng.random() < 0.4:
            return ""
        name = self._rng.choice(leaves)
        for home in entity.keys:
            text = entity.fields[home].get(name, "@external")
            if "@external" not in text and "@shareable" not in text:
                entity.fields[home][name] = f"{text} @shareable"
        return f' @provides(fields: "{name}")'

    def _root_definitions(self, subgraph: str, here: list[_Entity], roots: list[str]) -> list[str]:
        texts = [f"type Query {{ {' '.join(roots)} }}"] if roots else []
        if here and self._rng.random() < 0.4:
            target = self._rng.choice(here).name
            texts.append(f"type Mutation {{ do_{subgraph}(size: Int): {target} also_{subgraph}: {target}! }}")
        return texts

    def _common(self, parts: list[str]) -> list[str]:
        """The types that several subgraphs share, where they are used."""
        text = " ".join(parts)
        common = {
            "Color": "enum Color { RED GREEN BLUE }",
            "Stamp": "scalar Stamp",
            "Ref": "type Ref { serial: ID! @shareable }",
        }
        return [definition for name, definition in common.items() if name in text]

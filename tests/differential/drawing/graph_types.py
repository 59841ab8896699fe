"""Drawing what a graph is about: entities with their keys, leaves, links, objects without keys, abstract types."""

from __future__ import annotations

from tests.differential.drawing.drawn_set import DrawnSet, DrawnType

KEY_FORMS = (
    "id", "sku", "code region", "ref { serial }", "ref { serial } sku", "marks", "parts { serial }", "owner { id }",
    "nick", "place { town { zip } }",
)  # fmt: skip
KEY_FEATURES = {
    "code region": "key of two fields",
    "ref { serial }": "nested key",
    "ref { serial } sku": "nested key",
    "marks": "key of a list",
    "parts { serial }": "key of a list of objects",
    "owner { id }": "key of an entity",
    "nick": "key that may be null",
    "place { town { zip } }": "key of two levels",
}
KEY_FIELDS = {
    "id": "ID!", "sku": "String!", "code": "Int!", "region": "ID!", "ref": "Ref!", "marks": "[ID!]!",
    "parts": "[Ref!]!", "nick": "String",
}  # fmt: skip
LEAVES = (
    "Int",
    "String",
    "Int!",
    "String!",
    "[String]",
    "[[Int!]]",
    "Color",
    "Stamp",
    "Float",
    "Boolean",
    "Mood",
    "[Mood!]",
    "Hue",
    "[Hue!]",
)
ARGUMENTS = ("", "", "", "", "(size: Int)", "(color: Color, like: [ID!])", "(size: Int = 7)", "(wish: Wish)")
LINKS = ("{}", "{}", "{}!", "[{}!]!", "[{}]", "[[{}!]!]", "[[{}]]")
SHAPES = {"[[": "lists of lists", "[": "list"}


def draw_entities(drawn: DrawnSet) -> None:
    """Entities, each in some subgraphs; the first of its homes has every form of its key."""
    rng = drawn.rng
    for number in range(rng.randint(2, 4)):
        name = f"E{number}"
        drawn.entities.append(name)
        homes = rng.sample(drawn.names, rng.randint(1, len(drawn.names)))
        forms = rng.sample(KEY_FORMS, rng.choice((1, 1, 2, 3)))
        if drawn.chance(0.6) and "id" not in forms:
            forms[0] = "id"
        if forms[0] == "nick":
            forms[0] = "sku"
        if len(forms) > 1:
            drawn.note("several keys")
        for home in homes:
            own = forms if home == homes[0] else [rng.choice(forms)]
            _add_keys(drawn, home, name, list(own))


def _add_keys(drawn: DrawnSet, home: str, name: str, forms: list[str]) -> None:
    type_ = drawn.type(home, "type", name)
    for form in forms:
        if form == "owner { id }":
            owner = drawn.type(home, "type", "Owner")
            owner.add("id", "ID!")
            owner.keys = ["id"]
            type_.add("owner", "Owner!")
        if form == "place { town { zip } }":
            type_.add("place", "Place!")
            drawn.type(home, "type", "Place").add("town", "Town!")
            drawn.type(home, "type", "Town").add("zip", "ID!")
        words = form.replace("{ serial }", "").replace("owner { id }", "").replace("place { town { zip } }", "")
        for word in words.split():
            type_.add(word, KEY_FIELDS[word])
            if word in ("ref", "parts"):
                drawn.type(home, "type", "Ref").add("serial", "ID!")
        type_.keys.append(form)
        drawn.note(KEY_FEATURES.get(form, "plain key"))
        if drawn.chance(0.03) and len(drawn.names) > 2:
            type_.unresolvable.append(form)
            drawn.note("unresolvable key")


def draw_leaves(drawn: DrawnSet) -> None:
    """Fields of scalars and enums, in one subgraph or shared by two; some overridden."""
    rng = drawn.rng
    for name in drawn.entities:
        homes = drawn.homes(name)
        for number in range(rng.randint(2, 5)):
            type_, arguments = rng.choice(LEAVES), rng.choice(ARGUMENTS)
            owners = rng.sample(homes, min(rng.choice((1, 1, 1, 2)), len(homes)))
            if len(owners) > 1:
                drawn.note("shareable field")
            for place, owner in enumerate(owners):
                # One of them may promise more than the other.
                own = type_.rstrip("!") if place and drawn.chance(0.3) else type_
                if own != type_:
                    drawn.note("nullabilities differ")
                drawn.types[owner][name].add(f"f{number}", own, arguments)
            drawn.note(*(["argument with default"] if "=" in arguments or "wish" in arguments else []))
            drawn.note(*(["enum values differ"] if "Hue" in type_ and len(drawn.names) > 1 else []))
            drawn.note(*(["custom scalar"] if type_ == "Stamp" else ["hidden enum value"] if "Mood" in type_ else []))
            if len(owners) == 1 and len(homes) > 1 and drawn.chance(0.15):
                _override(drawn, name, f"f{number}", owners[0], rng.choice([h for h in homes if h not in owners]))


def _override(drawn: DrawnSet, type_name: str, field: str, victim: str, thief: str) -> None:
    found = drawn.types[victim][type_name].fields[field]
    label = ""
    if drawn.chance(0.4):
        label = f', label: "percent({drawn.rng.choice((0, 30, 100))})"'
        drawn.note("override with a label")
    directive = f'@override(from: "{victim}"{label})'
    drawn.types[thief][type_name].add(field, found.type, found.arguments, directive)
    drawn.note("override")


def draw_links(drawn: DrawnSet) -> None:
    """Fields from entity to entity."""
    rng = drawn.rng
    for name in drawn.entities:
        for home in drawn.homes(name):
            for number in range(rng.randint(0, 2)):
                shape = rng.choice(LINKS)
                drawn.types[home][name].add(f"l{number}_{home}", shape.format(rng.choice(drawn.entities_in(home))))
                drawn.note(next((f"link: {called}" for sign, called in SHAPES.items() if sign in shape), "link"))


def draw_values(drawn: DrawnSet) -> None:
    """Objects without keys whose fields are spread over the subgraphs that return them, with more of them inside."""
    rng = drawn.rng
    for name in drawn.entities:
        if drawn.chance(0.5):
            continue
        value = f"V{name}"
        shape = rng.choice(("{}", "{}", "{}!", "[{}!]", "[[{}]]")).format(value)
        spread = {f"v{i}": drawn.some(drawn.names) for i in range(3)}
        for home in drawn.homes(name):
            own = [word for word, homes in spread.items() if home in homes] or ["v9"]
            type_ = drawn.type(home, "type", value)
            for word in own:
                type_.add(word, "Int")
            drawn.types[home][name].add("value", shape)
            if drawn.chance(0.4):
                type_.add("inner", f"W{name}")
                drawn.type(home, "type", f"W{name}").add(rng.choice(("w0", "w1")), "String")
                drawn.note("value in a value")
            if drawn.chance(0.3):
                type_.add(f"of_{home}", rng.choice(("{}", "[{}!]")).format(rng.choice(drawn.entities_in(home))))
                drawn.note("entity in a value")
        if len(drawn.homes(name)) > 1:
            drawn.note("value from several subgraphs", *(["list of values"] if "[" in shape else []))


def draw_interface(drawn: DrawnSet) -> None:
    """An interface ``I`` of some entities, known to some subgraphs, with fields of its own that these share."""
    identified = [
        name for name in drawn.entities if all("id" in drawn.types[h][name].fields for h in drawn.homes(name))
    ]
    if not identified or drawn.chance(0.3):
        return
    implementers = drawn.some(identified, least=min(2, len(identified)))
    where = [name for name in drawn.some(drawn.names) if any(e in drawn.types[name] for e in implementers)]
    for name in implementers:
        for home in drawn.some(drawn.homes(name)):
            drawn.types[home][name].add("label", "String")
    for home in where:
        local = [name for name in implementers if name in drawn.types[home]]
        type_ = drawn.type(home, "interface", "I")
        type_.add("id", "ID!")
        if all("label" in drawn.types[home][name].fields for name in local):
            type_.add("label", "String")
        for name in local:
            drawn.types[home][name].implements.append("I")
        drawn.note("interface", *(["implementers differ"] if len(local) < len(implementers) else []))
        _add_interface_links(drawn, home, type_, local)
        _add_second_interface(drawn, home, local)


def _add_interface_links(drawn: DrawnSet, home: str, interface: DrawnType, local: list[str]) -> None:
    rng = drawn.rng
    if drawn.chance(0.5):
        owner = rng.choice(drawn.entities_in(home))
        drawn.types[home][owner].add(f"kin_{home}", rng.choice(LINKS).format("I"))
        drawn.note("link to an interface")
    if drawn.chance(0.3) and len(drawn.homes("I")) == 1:
        # Each object may promise more than the interface does.
        interface.add(f"near_{home}", "I")
        for name in local:
            own = rng.choice(("I", "I!", local[0]))
            drawn.types[home][name].add(f"near_{home}", own)
            drawn.note("interface with a link", *(["covariant field"] if own != "I" else []))
        for name in {e for h in drawn.names for e in drawn.entities_in(h)} - set(local):
            for other in drawn.homes(name):
                if "I" in drawn.types[other][name].implements:
                    interface.fields.pop(f"near_{home}", None)


def _add_second_interface(drawn: DrawnSet, home: str, local: list[str]) -> None:
    if drawn.chance(0.5) or len(local) < 2 or len(drawn.homes("I")) > 1:
        return
    second = drawn.type(home, "interface", f"J_{home}")
    second.implements.append("I")
    for one in drawn.types[home]["I"].fields.values():
        second.add(one.name, one.type, one.arguments)
    for name in drawn.some(local):
        drawn.types[home][name].implements.append(second.name)
    drawn.root(home, f"j_{home}", f"[{second.name}]")
    drawn.note("interface of an interface")


def draw_union(drawn: DrawnSet) -> None:
    """A union ``U`` whose members differ from subgraph to subgraph."""
    rng = drawn.rng
    if drawn.chance(0.4):
        return
    for home in drawn.some(drawn.names):
        here = drawn.entities_in(home)
        if not here:
            continue
        type_ = drawn.type(home, "union", "U")
        type_.members = drawn.some(here)
        values = [name for name in drawn.types[home] if name.startswith("VE") and drawn.homes(name) == [home]]
        if values and drawn.chance(0.3):
            type_.members.append(values[0])
            drawn.note("value in a union")
        drawn.types[home][rng.choice(here)].add(f"pick_{home}", rng.choice(LINKS).format("U"))
        drawn.root(home, f"u_{home}", "[U]")
        drawn.note("union")
    if len({tuple(sorted(drawn.types[h]["U"].members)) for h in drawn.homes("U")}) > 1:
        drawn.note("members differ")

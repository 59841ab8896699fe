"""Drawing what depends on other subgraphs: ``@requires``, ``@provides``, interface objects, hidden fields."""

from __future__ import annotations

from tests.differential.drawing.drawn_set import DrawnField, DrawnSet


def draw_computed(drawn: DrawnSet) -> None:
    """Fields with ``@requires``: of leaves, arguments, links, lists, abstract types, values, and of computed fields."""
    for name in drawn.entities:
        for home in drawn.homes(name):
            if drawn.chance(0.5):
                _add_computed(drawn, home, name)


def _add_computed(drawn: DrawnSet, home: str, name: str) -> None:
    type_ = drawn.types[home][name]
    elsewhere = [f for f in drawn.field_names(name) if f not in type_.fields]
    parts = []
    for field in drawn.rng.sample(elsewhere, min(len(elsewhere), drawn.rng.randint(1, 2))):
        found = drawn.found(name, field)
        below = _required_below(drawn, home, found.target)
        if below is None:
            continue
        type_.add(field, found.type, found.arguments, external=True)
        asked = _required_arguments(drawn, found)
        parts.append(f"{field}{asked}{below}")
        drawn.note(_feature_of(found, asked, below))
    if parts:
        name = f"c_{home}" if f"c_{home}" not in type_.fields else f"d_{home}"
        type_.add(name, drawn.rng.choice(("String", "Int!", "[Float]")), "", f'@requires(fields: "{" ".join(parts)}")')
        drawn.note("requires")


def _feature_of(found: DrawnField, asked: str, below: str) -> str:
    if asked:
        return "requires with arguments"
    if "..." in below:
        return "requires through fragments"
    if found.target == "I":
        return "requires through an interface"
    if below.count("{") > 1:
        return "requires through two objects"
    if below and "[" in found.type:
        return "requires through a list"
    if found.name.startswith(("c_", "d_")):
        return "requires of a computed field"
    return "requires through an object" if below else "requires of a leaf"


def _required_arguments(drawn: DrawnSet, found: DrawnField) -> str:
    if not found.arguments.startswith("(size") or drawn.chance(0.4):
        return ""
    return f"(size: {drawn.rng.randrange(3)})"


def _required_below(drawn: DrawnSet, home: str, target: str) -> str | None:
    """What is selected below a required field; None where the subgraph cannot name it, or nothing would be."""
    if target in drawn.entities:
        return _of_entity(drawn, home, target)
    if target == "I" and target in drawn.types[home]:
        fields = list(drawn.types[home]["I"].fields.values())
        leaves = [one.name for one in fields if one.target in ("ID", "String")]
        return f" {{ {' '.join(drawn.some(leaves))} }}"
    if target == "U" and "U" in drawn.types[home]:
        parts = [(m, _of_entity(drawn, home, m)) for m in drawn.types[home]["U"].members if m in drawn.entities]
        texts = [f"... on {member}{below}" for member, below in parts if below]
        return f" {{ {' '.join(texts)} }}" if texts else None
    if target.startswith(("VE", "WE", "Ref", "Owner", "Place", "I", "U", "J")):
        return None
    return ""


def _of_entity(drawn: DrawnSet, home: str, target: str, *, may_go_on: bool = True) -> str | None:
    """A leaf of a linked entity, or of one that this links to; external here where it is not read here."""
    if home not in drawn.homes(target):
        return None
    type_ = drawn.types[home][target]
    if may_go_on and drawn.chance(0.25):
        for name in drawn.field_names(target):
            found = drawn.found(target, name)
            is_link = name.startswith("l") and found.target in drawn.entities and name not in type_.fields
            below = _of_entity(drawn, home, found.target, may_go_on=False) if is_link else None
            if below:
                type_.add(name, found.type, "", external=True)
                return f" {{ {name}{below} }}"
    for name in drawn.field_names(target):
        found = drawn.found(target, name)
        is_leaf = name.startswith("f") and not found.arguments
        if is_leaf and name not in type_.fields and not any("@override" in d for d in found.directives):
            type_.add(name, found.type, "", external=True)
            return f" {{ {name} }}"
    known = [word for word in type_.fields if word in ("id", "sku", "code")]
    return f" {{ {known[0]} }}" if known else None


def draw_provides(drawn: DrawnSet) -> None:
    """Fields that bring external ones of the entities that they lead to."""
    for home in drawn.names:
        for type_ in list(drawn.types[home].values()):
            for one in list(type_.fields.values()):
                if type_.kind == "type" and not one.external and not one.directives and drawn.chance(0.35):
                    _provide(drawn, home, one)


def _provide(drawn: DrawnSet, home: str, one: DrawnField) -> None:
    target = one.target
    if target in drawn.entities:
        text = _provided(drawn, home, target)
    elif target == "U":
        parts = [(m, _provided(drawn, home, m)) for m in drawn.types[home]["U"].members if m in drawn.entities]
        text = " ".join(f"... on {member} {{ {below} }}" for member, below in parts if below)
    else:
        return
    if text:
        one.directives.append(f'@provides(fields: "{text}")')
        drawn.note(
            "provides through fragments" if "..." in text else "provides in lists" if "[" in one.type else "provides"
        )


def _provided(drawn: DrawnSet, home: str, target: str) -> str:
    type_ = drawn.types[home][target]
    external = [f.name for f in type_.fields.values() if f.external and f.name.startswith("f") and not f.arguments]
    if not external and drawn.chance(0.5):
        free = [n for n in drawn.field_names(target) if n not in type_.fields and n.startswith("f")]
        free = [n for n in free if not drawn.found(target, n).arguments and not drawn.found(target, n).directives]
        if free:
            type_.add(free[0], drawn.found(target, free[0]).type, external=True)
            external = free[:1]
    if not external:
        return ""
    drawn.must_share.add((target, external[0]))
    return external[0]


def draw_interface_object(drawn: DrawnSet) -> None:
    """A subgraph that knows the interface alone, where another one knows all that implement it by ``id``."""
    implementers = {n for h in drawn.names for n in drawn.entities_in(h) if "I" in drawn.types[h][n].implements}
    hosts = [h for h in drawn.homes("I") if implementers <= set(drawn.entities_in(h))]
    has_second = any(name.startswith("J_") for home in drawn.names for name in drawn.types[home])
    if not implementers or not hosts or has_second or drawn.chance(0.4):
        return
    for host in hosts[:1]:
        drawn.types[host]["I"].keys.append("id")
        for name in implementers:
            type_ = drawn.types[host][name]
            if "I" not in type_.implements:
                type_.implements.append("I")
            if "id" not in type_.keys:
                type_.keys.append("id")
            type_.unresolvable = [form for form in type_.unresolvable if form != "id"]
        if "label" in drawn.types[host]["I"].fields and not all(
            "label" in drawn.types[host][n].fields for n in implementers
        ):
            del drawn.types[host]["I"].fields["label"]
        for name in list(drawn.types[host]["I"].fields):
            if not all(name in drawn.types[host][n].fields for n in implementers):
                del drawn.types[host]["I"].fields[name]
    _add_interface_object(drawn, hosts[0])
    if drawn.chance(0.4):
        _add_second_interface_object(drawn)


def _add_interface_object(drawn: DrawnSet, host: str) -> None:
    name = f"s{len(drawn.names)}"
    drawn.names.append(name)
    drawn.types[name] = {}
    type_ = drawn.type(name, "type", "I")
    type_.keys, type_.directives = ["id"], ["@interfaceObject"]
    type_.add("id", "ID!")
    type_.add("extra", "String")
    type_.add("extras", "[Int!]", "(size: Int)")
    type_.add("friend", drawn.rng.choice(("I", "[I!]", "[[I]]")))
    drawn.root(name, f"any_{name}", "[I!]")
    drawn.note("interface object")
    if "label" in drawn.types[host]["I"].fields and drawn.chance(0.5):
        type_.add("label", "String", external=True)
        type_.add("worth", "Int", "", '@requires(fields: "label")')
        drawn.note("interface object with requires")


def _add_second_interface_object(drawn: DrawnSet) -> None:
    """Another subgraph that knows the interface alone, and may need what the first one has of it."""
    name = f"s{len(drawn.names)}"
    drawn.names.append(name)
    drawn.types[name] = {}
    type_ = drawn.type(name, "type", "I")
    type_.keys, type_.directives = ["id"], ["@interfaceObject"]
    type_.add("id", "ID!")
    type_.add("bonus", "Int")
    type_.add("mate", drawn.rng.choice(("I", "[I!]")))
    drawn.root(name, f"any_{name}", "[I!]")
    if drawn.chance(0.6):
        type_.add("extra", "String", external=True)
        type_.add("gain", "Int", "", '@requires(fields: "extra")')
    drawn.note("several interface objects")


def draw_hidden(drawn: DrawnSet) -> None:
    """Fields that clients do not see, keys among them."""
    for name in drawn.entities:
        for home in drawn.homes(name):
            for one in drawn.types[home][name].fields.values():
                keyed = one.name in ("sku", "code", "ref", "marks")
                if (
                    (one.name.startswith("f") or keyed)
                    and not one.external
                    and not one.directives
                    and drawn.chance(0.04)
                ):
                    one.directives.append("@inaccessible")
                    drawn.note("hidden key" if keyed else "hidden field")

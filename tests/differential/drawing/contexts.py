"""Drawing ``@context`` and ``@fromContext``: objects that are met inside entities, with arguments taken from these."""

from __future__ import annotations

from tests.differential.drawing.drawn_set import DrawnSet

TAKEN = ("Int", "String", "Int!", "String!", "[String]", "Color", "Float", "Boolean")
INSIDE = ("{}", "{}!", "[{}!]!", "[{}]", "[[{}!]]")


def draw_contexts(drawn: DrawnSet) -> None:
    """In some sets: an entity whose nullable or sure fields are arguments of what is met inside it alone."""
    if drawn.chance(0.75):
        return
    name = drawn.rng.choice(drawn.entities)
    home = drawn.rng.choice(drawn.homes(name))
    leaves = [f for f in drawn.field_names(name) if f.startswith("f") and _can_be_taken(drawn, name, f)]
    if not leaves:
        return
    setter = drawn.types[home][name]
    setter.directives.append('@context(name: "around")')
    drawn.type(home, "type", "T").keys.append("id")
    drawn.type(home, "type", "T").add("id", "ID!")
    for number, leaf in enumerate(drawn.some(leaves)[:2]):
        _add_taking(drawn, name, home, leaf, number)
    _add_way(drawn, name, home)
    if drawn.chance(0.5):
        _add_other_home(drawn, home)
    drawn.note("context")


def _can_be_taken(drawn: DrawnSet, type_name: str, field: str) -> bool:
    found = drawn.found(type_name, field)
    return found.type in TAKEN and not found.arguments and not found.directives


def _add_taking(drawn: DrawnSet, name: str, home: str, leaf: str, number: int) -> None:
    """A field of ``T`` that takes ``leaf`` of the entity around it, from another subgraph where this one lacks it."""
    found = drawn.found(name, leaf)
    if leaf not in drawn.types[home][name].fields:
        drawn.types[home][name].add(leaf, found.type, external=True)
        drawn.note("context from another subgraph")
    form = drawn.rng.choice(("$around {{ {} }}", "$around {}"))
    taken = f'by: {found.type.rstrip("!")} @fromContext(field: "{form.format(leaf)}")'
    own = drawn.rng.choice(("", "size: Int, "))
    drawn.types[home]["T"].add(f"t{number}", drawn.rng.choice(("String", "Int", "[Int!]")), f"({own}{taken})")


def _add_way(drawn: DrawnSet, name: str, home: str) -> None:
    """``T`` inside the entity, at once or in an object without keys."""
    shape = drawn.rng.choice(INSIDE)
    if drawn.chance(0.4):
        box = drawn.type(home, "type", "Box")
        box.add("wide", "Int")
        box.add("item", shape.format("T"))
        drawn.types[home][name].add("box", drawn.rng.choice(("Box", "[Box!]")))
        drawn.note("context through an object")
    else:
        drawn.types[home][name].add("inside", shape.format("T"))
    if drawn.chance(0.5):
        drawn.types[home]["T"].add("plain", "String")


def _add_other_home(drawn: DrawnSet, home: str) -> None:
    """Fields of ``T`` in another subgraph, one of which may need what takes a context."""
    others = [one for one in drawn.names if one != home and drawn.entities_in(one)]
    if not others:
        return
    other = drawn.type(drawn.rng.choice(others), "type", "T")
    other.keys.append("id")
    other.add("id", "ID!")
    other.add("far", "Int")
    drawn.note("what takes a context elsewhere too")

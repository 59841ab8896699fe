"""Random sets of subgraphs that most often compose: entities over several subgraphs, and all that joins them."""

from __future__ import annotations

import random

from tests.differential.drawing.computed import draw_computed, draw_hidden, draw_interface_object, draw_provides
from tests.differential.drawing.contexts import draw_contexts
from tests.differential.drawing.drawn_set import DrawnSet
from tests.differential.drawing.graph_types import (
    LINKS,
    draw_entities,
    draw_interface,
    draw_leaves,
    draw_links,
    draw_union,
    draw_values,
)


def draw_set(rng: random.Random) -> DrawnSet:
    """One set of subgraphs, which may not compose."""
    drawn = DrawnSet(rng)
    draw_entities(drawn)
    draw_leaves(drawn)
    draw_links(drawn)
    draw_values(drawn)
    draw_interface(drawn)
    draw_union(drawn)
    for _ in range(rng.randint(1, 2)):  # The second time some require what the first has computed.
        draw_computed(drawn)
    draw_interface_object(drawn)
    draw_roots(drawn)
    draw_mutations(drawn)
    draw_provides(drawn)
    draw_contexts(drawn)
    draw_hidden(drawn)
    draw_subscriptions(drawn)
    return drawn


def draw_roots(drawn: DrawnSet) -> None:
    """Where queries begin."""
    rng = drawn.rng
    for home in drawn.names:
        for name in drawn.entities_in(home):
            if drawn.chance(0.6):
                arguments = rng.choice(("(like: ID)", "(wish: Wish! = {size: 1})", "(colors: [Color!] = [RED])"))
                drawn.root(home, f"{name.lower()}_{home}", rng.choice(LINKS).format(name), arguments)
            if drawn.chance(0.3):
                drawn.root(home, f"all{name}", f"[{name}!]!")
                drawn.note("root")
        if "I" in drawn.types[home] and drawn.types[home]["I"].kind == "interface":
            drawn.root(home, f"i_{home}", "[I!]")
            drawn.root(home, f"one_{home}", "I")
        if "Query" in drawn.types[home] and drawn.chance(0.15):
            drawn.roots[home] = f"Start_{home}"
    if not any("Query" in types for types in drawn.types.values()):
        home = drawn.homes(drawn.entities[0])[0]
        drawn.root(home, "first", drawn.entities[0])


def draw_mutations(drawn: DrawnSet) -> None:
    """Changes that return entities, and objects with what was changed and with the root of all queries."""
    rng = drawn.rng
    for home in drawn.names:
        here = drawn.entities_in(home)
        if not here or home in drawn.roots or drawn.chance(0.6):
            continue
        mutation = drawn.type(home, "type", "Mutation")
        mutation.add(f"do_{home}", rng.choice(here), "(size: Int)")
        mutation.add(f"also_{home}", f"{rng.choice(here)}!")
        mutation.add(f"count_{home}", "Int", "(wish: Wish)")
        drawn.note("mutation")
        if "Query" in drawn.types[home] and drawn.chance(0.5):
            done = drawn.type(home, "type", f"Done_{home}")
            done.add("item", rng.choice(here))
            done.add("query", "Query")
            mutation.add(f"finish_{home}", done.name)
            drawn.note("payload with the root")


def draw_subscriptions(drawn: DrawnSet) -> None:
    """Events that bring entities, lists and abstract types of them, and objects with the root of all queries."""
    rng = drawn.rng
    for home in drawn.names:
        here = [*drawn.entities_in(home), *(name for name in ("I", "U") if name in drawn.types[home])]
        if not here or home in drawn.roots or drawn.chance(0.5):
            continue
        subscription = drawn.type(home, "type", "Subscription")
        subscription.add(f"on_{home}", rng.choice(LINKS).format(rng.choice(here)), "(size: Int)")
        subscription.add(f"each_{home}", rng.choice(here))
        drawn.note("subscription")
        if "Query" in drawn.types[home] and drawn.chance(0.3):
            event = drawn.type(home, "type", f"Event_{home}")
            event.add("item", rng.choice(here))
            event.add("query", "Query")
            subscription.add(f"after_{home}", event.name)
            drawn.note("event with the root")

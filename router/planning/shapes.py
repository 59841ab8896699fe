"""Response names that cannot stand together in one subgraph's document, and the aliases that part them.

``pet { ... on Cat { name } ... on Dog { name } }`` is refused where ``Cat.name`` is ``String!`` and ``Dog.name`` is
``String`` (GraphQL specification, 5.3.2): the second is sent as ``name_Dog`` and renamed back on arrival.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from router.planning.presences import Presence, Use
from router.planning.query_plan import Path, PathStep, Rewrite
from router.planning.reach import TYPENAME

Shape = tuple[str, Mapping[str, "Shape"]]


class Sent(NamedTuple):
    """The response names that each presence sends its fields under, where they are not the response keys."""

    names: dict[tuple[Presence, str], str]

    def name_of(self, presence: Presence, key: str) -> str:
        """The name that ``key`` of ``presence`` is sent under."""
        return self.names.get((presence, key), key)


def assign_names(entry: Presence) -> Sent:
    """The names to send for everything below ``entry``."""
    sent = Sent({})
    _assign(entry, sent)
    return sent


def can_share_names(one: Presence, other: Presence) -> bool:
    """Whether the fields of two entities of different types can be asked for in one ``_entities`` field."""
    sent = Sent({})
    _assign(one, sent)
    _assign(other, sent)
    theirs = {sent.name_of(other, key): _shape(use, sent) for key, use in other.uses.items()}
    ours = ((sent.name_of(one, key), use) for key, use in one.uses.items())
    return all(_fits(_shape(use, sent), theirs[name]) for name, use in ours if name in theirs)


def rewrites_of(presence: Presence, sent: Sent, path: Path, types: tuple[str, ...] | None) -> list[Rewrite]:
    """The renamings on arrival, those of outer objects first: paths are made of response keys."""
    rewrites: list[Rewrite] = []
    for key, use in presence.uses.items():
        name = sent.name_of(presence, key)
        if name != key:
            rewrites.append(Rewrite(path, types, name, key))
        if use.below is not None:
            rewrites += rewrites_of(use.below, sent, (*path, PathStep(key)), None)
    for name, cast in presence.casts.items():
        rewrites += rewrites_of(cast, sent, path, (name,))
    return rewrites


def _assign(presence: Presence, sent: Sent) -> None:
    for use in presence.uses.values():
        for below in use.children.values():
            _assign(below, sent)
    if not presence.casts:
        return
    taken: dict[str, Shape] = {}
    parts = (presence, *presence.casts.values())
    keys = {key for part in parts for key in part.uses}
    for part in parts:
        if part is not presence:
            _assign(part, sent)
        for key, use in part.uses.items():
            name = _free_name(key, part, use, taken, keys, sent)
            if name != key:
                sent.names[part, key] = name


def _free_name(key: str, part: Presence, use: Use, taken: dict[str, Shape], keys: set[str], sent: Sent) -> str:
    """``key``, or ``key_Type`` where another type's field of that name has another shape; never another of ``keys``."""
    shape = _shape(use, sent)
    name, number = key, 1
    while (name != key and name in keys) or (name in taken and not _fits(taken[name], shape)):
        name = f"{key}_{part.position.type_name}" if number == 1 else f"{key}_{part.position.type_name}_{number}"
        number += 1
    _add_shape(taken, name, shape)
    return name


def _shape(use: Use, sent: Sent) -> Shape:
    """The wrappers and leaf type of a field in its subgraph, and the shapes below it by the names sent."""
    if use.edge is None:
        return "String!", {}
    text = use.edge.type
    below = use.below
    if below is None:
        return text, {}
    shapes: dict[str, Shape] = {TYPENAME: ("String!", {})}
    for part in (below, *below.casts.values()):
        for key, inner in part.uses.items():
            _add_shape(shapes, sent.name_of(part, key), _shape(inner, sent))
    return text.replace(use.edge.target, "{}"), shapes


def _add_shape(shapes: dict[str, Shape], name: str, shape: Shape) -> None:
    """Note what is sent under ``name``, with all that fields of that name before have below."""
    known = shapes.get(name)
    if known is None:
        shapes[name] = shape
        return
    below = dict(known[1])
    for inner, one in shape[1].items():
        _add_shape(below, inner, one)
    shapes[name] = known[0], below


def _fits(one: Shape, other: Shape) -> bool:
    """Whether two fields may share a response name (SameResponseShape)."""
    if one[0] != other[0]:
        return False
    return all(_fits(shape, other[1][name]) for name, shape in one[1].items() if name in other[1])

"""A request to a subgraph as the parts that are kept by themselves, each with its keys.

A key holds all that the part's answer depends on: who asks, or what all have in common who ask alike, and subgraph and
selection, as digests from which no header can be read; variables, and the representation, as they are sent. So whatever
is in the store is found without a digest of anything that a request brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from router.execution.json_numbers import decode_exact, encode, encode_sorted
from router.execution.subgraph_client import SubgraphRequest
from router.server.caching.fetch_shape import EntityField, FetchShape, FetchShapes
from router.server.caching.lifetime import Asker

_FOR_ALL, _FOR_ONE = b"a", b"o"
# Stands in no JSON that we write, so that variables and representation cannot be taken for each other.
_BETWEEN = b"\n"


class Part(NamedTuple):
    """An entity, or the whole data of a root fetch (``field`` None).

    ``for_all`` and ``for_one`` are the keys of an entry for everybody, and for who asks (None where that cannot be
    told).
    """

    for_all: bytes
    for_one: bytes | None
    type_name: str
    field: EntityField | None = None
    representation: Mapping[str, Any] | None = None


class PartedRequest(NamedTuple):
    """``parts`` in the order of the answer, those of one field together."""

    request: SubgraphRequest
    shape: FetchShape
    asker: Asker
    sent: Mapping[str, Any]
    parts: Sequence[Part]

    def body_of(self, parts: Sequence[Part]) -> bytes:
        """The body of a request for some of the parts alone."""
        if len(parts) == len(self.parts):
            return self.request.body
        wanted: dict[str, list[Any]] = {field.variable: [] for field in self.shape.entities}
        for part in parts:
            if part.field is not None:
                wanted[part.field.variable].append(part.representation)
        return encode({**self.sent, "variables": {**self.sent["variables"], **wanted}})


def part(request: SubgraphRequest, shapes: FetchShapes, asker: Asker) -> PartedRequest | None:
    """The parts of a query; None where it is none that can be kept."""
    sent = decode_exact(request.body)
    shape = shapes.of(request.subgraph, sent["query"])
    if shape is None:
        return None
    variables = sent.get("variables") or {}
    if not shape.entities:
        for_all, for_one = _keys(asker, shape.identity, variables)
        return PartedRequest(request, shape, asker, sent, (Part(for_all, for_one, shape.root.types[0]),))
    parts: list[Part] = []
    for field in shape.entities:
        used = {name: variables[name] for name in field.variables if name in variables}
        for_all, for_one = _keys(asker, field.identity, used)
        for one in variables[field.variable]:
            type_name = one.get("__typename") if type(one) is dict else None
            if type(type_name) is not str:
                return None
            written = encode_sorted(one)
            own = for_one + written if for_one is not None else None
            parts.append(Part(for_all + written, own, type_name, field, one))
    return PartedRequest(request, shape, asker, sent, parts)


def _keys(asker: Asker, identity: bytes, variables: Mapping[str, Any]) -> tuple[bytes, bytes | None]:
    """What the keys of parts begin with that differ in nothing but their representations."""
    asked = identity + encode_sorted(variables) + _BETWEEN
    own = _FOR_ONE + asker.own + asked if asker.own is not None else None
    return _FOR_ALL + asker.others + asked, own

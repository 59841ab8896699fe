"""A request to a subgraph as the parts that are kept by themselves, each with its keys.

A key is a hash of all that the part's answer depends on: subgraph, selection, variables, representation, forwarded
headers, and for what is private who asks. No header or value can be read from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from router.execution.json_numbers import decode_exact, encode, encode_sorted
from router.execution.subgraph_client import SubgraphRequest
from router.server.caching.fetch_shape import EntityField, FetchShape, FetchShapes
from router.server.caching.lifetime import Asker

_KEY_BYTES = 20
_FOR_ALL, _FOR_ONE, _IN_FLIGHT = b"a", b"o", b"f"


@dataclass(frozen=True, slots=True)
class Part:
    """An entity, or the whole data of a root fetch (``field`` None).

    ``for_all`` and ``for_one`` are the keys of an entry for everybody, and for who asks (None where that cannot be
    told); ``in_flight`` is what requests of equal headers have in common.
    """

    for_all: bytes
    for_one: bytes | None
    in_flight: bytes
    type_name: str
    field: EntityField | None = None
    representation: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PartedRequest:
    """``parts`` in the order of the answer."""

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
        identity = (request.subgraph.encode(), sent["query"].encode(), encode_sorted(variables))
        keys = _Keys(asker, identity)
        root_type = shape.root.types[0]
        return PartedRequest(request, shape, asker, sent, (keys.part(b"", root_type),))
    parts: list[Part] = []
    for field in shape.entities:
        used = {name: variables[name] for name in field.variables if name in variables}
        if not all(type(one) is dict and type(one.get("__typename")) is str for one in variables[field.variable]):
            return None
        keys = _Keys(asker, (request.subgraph.encode(), field.identity, encode_sorted(used)))
        parts += (keys.entity(field, one) for one in variables[field.variable])
    return PartedRequest(request, shape, asker, sent, parts)


class _Keys:
    """The keys of parts that differ in nothing but their representations."""

    def __init__(self, asker: Asker, identity: Sequence[bytes]) -> None:
        self._for_all = _begun(_FOR_ALL, asker.others, *identity)
        self._for_one = _begun(_FOR_ONE, asker.own, *identity) if asker.own is not None else None
        self._in_flight = _begun(_IN_FLIGHT, asker.everything, *identity)

    def entity(self, field: EntityField, representation: Mapping[str, Any]) -> Part:
        return self.part(encode_sorted(representation), representation["__typename"], field, representation)

    def part(
        self,
        written: bytes,
        type_name: str,
        field: EntityField | None = None,
        representation: Mapping[str, Any] | None = None,
    ) -> Part:
        return Part(
            for_all=_ended(self._for_all, written),
            for_one=_ended(self._for_one, written) if self._for_one is not None else None,
            in_flight=_ended(self._in_flight, written),
            type_name=type_name,
            field=field,
            representation=representation,
        )


def _begun(*pieces: bytes) -> blake2b:
    begun = blake2b(digest_size=_KEY_BYTES)
    for piece in pieces:
        begun.update(b"%d:" % len(piece))
        begun.update(piece)
    return begun


def _ended(begun: blake2b, written: bytes) -> bytes:
    ended = begun.copy()
    ended.update(written)
    return ended.digest()

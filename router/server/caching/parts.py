"""A request to a subgraph as the parts that are kept by themselves, each with its keys.

A key holds all that the part's answer depends on: who asks, or what all have in common who ask alike, and subgraph and
selection, as digests from which no header can be read; variables, and the representation, as they are sent. So whatever
is in the store is found without a digest of anything that a request brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import structs

from router.execution.json_numbers import decode_exact, encode, encode_sorted
from router.execution.subgraph_client import SubgraphRequest
from router.server.caching.fetch_shape import FetchShape, FetchShapes
from router.server.caching.kind import Kind
from router.server.caching.lifetime import Asker

_FOR_ALL, _FOR_ONE = b"a", b"o"
# A plugin may send more, on which an answer may depend. The operation's name says nothing that the document does not.
_READ = frozenset({"query", "variables", "operationName"})
# Stands in no JSON that we write, so that variables and representation cannot be taken for each other.
_BETWEEN = b"\n"


class PartedRequest(NamedTuple):
    """A request whose parts are entities in the order of the answer, those of one field together; or one, all data.

    By part: its kind, and the keys of an entry ``for_all`` and ``for_one``, who asks (None where that cannot be told).
    ``representations`` are empty where all data are one part.
    """

    request: SubgraphRequest
    shape: FetchShape
    asker: Asker
    sent: Mapping[str, Any]
    kinds: Sequence[Kind]
    for_all: Sequence[bytes]
    for_one: Sequence[bytes] | None
    representations: Sequence[Mapping[str, Any]]

    def asking(self, indexes: Sequence[int], timeout_s: float) -> SubgraphRequest:
        """The request for some of the parts alone."""
        request = self.request
        if len(indexes) == len(self.kinds):
            return request if timeout_s == request.timeout_s else structs.replace(request, timeout_s=timeout_s)
        return structs.replace(request, body=self._body_of(indexes), timeout_s=timeout_s)

    def _body_of(self, indexes: Sequence[int]) -> bytes:
        wanted: dict[str, list[Any]] = {field.variable: [] for field in self.shape.entities}
        for index in indexes:
            field = self.kinds[index].field
            if field is not None:
                wanted[field.variable].append(self.representations[index])
        return encode({**self.sent, "variables": {**self.sent["variables"], **wanted}})


def part(request: SubgraphRequest, shapes: FetchShapes, asker: Asker) -> PartedRequest | None:
    """The parts of a query; None where it is none that can be kept, or none whose answers ever could."""
    sent = decode_exact(request.body)
    if type(sent) is not dict or "query" not in sent or not sent.keys() <= _READ:
        return None
    shape = shapes.of(request.subgraph, sent["query"])
    if shape is None or shape.is_passed_by():
        return None
    variables = sent.get("variables") or {}
    if not shape.entities:
        for_all, for_one = _keys(asker, shape.identity, variables)
        own = (for_one,) if for_one is not None else None
        return PartedRequest(request, shape, asker, sent, (shape.whole,), (for_all,), own, ())
    kinds: list[Kind] = []
    representations: list[Mapping[str, Any]] = []
    keys: list[bytes] = []
    own_keys: list[bytes] = []
    for field in shape.entities:
        used = {name: variables[name] for name in field.variables if name in variables}
        for_all, for_one = _keys(asker, field.identity, used)
        for one in variables.get(field.variable) or ():
            type_name = one.get("__typename") if type(one) is dict else None
            if type(type_name) is not str:
                return None
            written = encode_sorted(one)
            kinds.append(shape.kind_of(field, type_name))
            representations.append(one)
            keys.append(for_all + written)
            if for_one is not None:
                own_keys.append(for_one + written)
    return PartedRequest(
        request, shape, asker, sent, kinds, keys, own_keys if asker.own is not None else None, representations
    )


def _keys(asker: Asker, identity: bytes, variables: Mapping[str, Any]) -> tuple[bytes, bytes | None]:
    """What the keys of parts begin with that differ in nothing but their representations."""
    asked = identity + encode_sorted(variables) + _BETWEEN
    own = _FOR_ONE + asker.own + asked if asker.own is not None else None
    return _FOR_ALL + asker.others + asked, own

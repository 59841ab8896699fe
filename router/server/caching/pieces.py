"""Parts of an answer, taken from a subgraph's response, and put together to one again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from router.execution.answer import SubgraphAnswer
from router.execution.errors import INVALID_RESPONSE, SubgraphFailure
from router.execution.json_numbers import encode
from router.execution.subgraph_client import SubgraphResponse
from router.server.caching.cache_control import NO_STORE, CachePolicy, smallest, write_policy
from router.server.caching.entry import Entry, policy_of
from router.server.caching.parts import PartedRequest


class Piece(NamedTuple):
    """The JSON ``value`` of a part, and what it may be used for."""

    value: bytes
    policy: CachePolicy


@dataclass(slots=True)
class Assembly:
    """An answer that is being put together: the JSON ``values`` by part, and the ``policy`` of all that has come;
    ``mark`` is the store's when it was read, ``mutations`` how many the subgraph had answered by then.

    ``errors`` are those of subgraphs at the places that they have in the whole answer. ``whole`` is the response to a
    request for all parts at once. Where a request ``failed``, its parts are missing. ``is_anew`` where all of it was
    kept already.
    """

    parted: PartedRequest
    mark: int
    mutations: int
    values: dict[int, bytes] = field(default_factory=dict)
    policy: CachePolicy | None = None
    is_anew: bool = False
    errors: list[Any] = field(default_factory=list)
    whole: SubgraphResponse | None = None
    failure: SubgraphFailure | None = None

    def missing(self) -> list[int]:
        """The parts that are not there."""
        return [index for index in range(len(self.parted.kinds)) if index not in self.values]

    def narrow(self, policy: CachePolicy) -> None:
        """Something has come of which this holds."""
        self.policy = policy if self.policy is None else smallest(self.policy, policy)

    def pass_on(self, response: SubgraphResponse, policies: Iterable[CachePolicy]) -> None:
        """Answer with a response to a request for all parts as it came, of which ``policies`` hold."""
        self.whole = response
        for policy in policies:
            self.narrow(policy)

    def fail(self, indexes: Iterable[int], failure: SubgraphFailure) -> None:
        """Some parts could not be had."""
        self.failure = failure
        for index in indexes:
            alias, position = _place(self.parted, index)
            extensions = {"code": failure.code}
            self.errors.append({"message": failure.message, "path": [alias, position], "extensions": extensions})

    def response(self) -> SubgraphResponse:
        """All of it. SubgraphFailure where a request failed, and there is nothing else."""
        if self.failure is not None and not self.values:
            raise SubgraphFailure(self.failure.code, self.failure.message)
        policy = NO_STORE if self.errors or self.policy is None else self.policy
        if self.whole is not None:
            return _with_policy(self.whole, policy) if policy.is_stored else self.whole
        values = [self.values.get(index, b"null") for index in range(len(self.parted.kinds))]
        errors = b',"errors":' + encode(self.errors) if self.errors else b""
        return _with_policy(SubgraphResponse(200, _body(self.parted, values, errors)), policy)


def served(parted: PartedRequest, entries: Sequence[Entry], now: float) -> SubgraphResponse:
    """The answer to a request of which all parts are there."""
    body = _body(parted, [one.value for one in entries])
    return _with_policy(SubgraphResponse(200, body), policy_of(entries, now))


def _with_policy(response: SubgraphResponse, policy: CachePolicy) -> SubgraphResponse:
    return SubgraphResponse(response.status, response.body, ((b"cache-control", write_policy(policy)),))


def _body(parted: PartedRequest, values: Sequence[bytes], errors: bytes = b"") -> bytes:
    """An answer of the ``values`` of all parts, with ``errors`` as a member of it."""
    entities = parted.shape.entities
    if not entities:
        return b'{"data":%b%b}' % (values[0], errors)
    if len(entities) == 1:
        return b'{"data":{%b:[%b]}%b}' % (encode(entities[0].alias), b",".join(values), errors)
    lists: dict[str, list[bytes]] = {one.alias: [] for one in entities}
    for kind, value in zip(parted.kinds, values, strict=True):
        assert kind.field is not None  # noqa: S101 - all parts are entities
        lists[kind.field.alias].append(value)
    fields = [b"%b:[%b]" % (encode(alias), b",".join(values)) for alias, values in lists.items()]
    return b'{"data":{%b}%b}' % (b",".join(fields), errors)


def values_of(parted: PartedRequest, indexes: Sequence[int], answer: SubgraphAnswer) -> Mapping[int, Any]:
    """The values of the parts that were asked for; None for each where the data is null.

    SubgraphFailure: SUBGRAPH_INVALID_RESPONSE where they cannot be told apart.
    """
    if not parted.shape.entities:
        return {indexes[0]: answer.data}
    values: dict[int, Any] = {}
    for alias, members in _by_field(parted, indexes).items():
        entities = answer.data.get(alias) if answer.data is not None else None
        if entities is None and answer.errors:
            entities = [None] * len(members)
        if type(entities) is not list or len(entities) != len(members):
            found = f"{len(entities)} entities" if type(entities) is list else "no list of entities"
            message = f"Subgraph '{parted.request.subgraph}' answered with {found} where {len(members)} were asked for."
            raise SubgraphFailure(INVALID_RESPONSE, message)
        values.update(zip(members, entities, strict=True))
    return values


def errors_in_place(parted: PartedRequest, indexes: Sequence[int], errors: Iterable[Any]) -> list[Any]:
    """A subgraph's errors with the paths that they have in the whole answer; ``indexes`` are what was asked for."""
    members = _by_field(parted, indexes)
    return [_moved(parted, members, error) for error in errors]


def _moved(parted: PartedRequest, members: Mapping[str, Sequence[int]], error: Any) -> Any:
    path = error.get("path") if type(error) is dict else None
    if type(path) is not list or len(path) < 2 or path[0] not in members or type(path[1]) is not int:
        return error
    asked = members[path[0]]
    if not 0 <= path[1] < len(asked):
        return error
    return {**error, "path": [*_place(parted, asked[path[1]]), *path[2:]]}


def _by_field(parted: PartedRequest, indexes: Sequence[int]) -> Mapping[str, list[int]]:
    """The parts that each ``_entities`` field was asked for, by its alias."""
    found: dict[str, list[int]] = {one.alias: [] for one in parted.shape.entities}
    for index in indexes:
        field_ = parted.kinds[index].field
        if field_ is not None:
            found[field_.alias].append(index)
    return found


def _place(parted: PartedRequest, index: int) -> tuple[str, int]:
    """Alias and position of an entity in the whole answer."""
    field_ = parted.kinds[index].field
    before = parted.kinds[:index]
    return field_.alias if field_ is not None else "", sum(other.field is field_ for other in before)

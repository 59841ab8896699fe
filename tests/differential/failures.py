"""The ways in which a subgraph fails: it does not answer, answers with something else, or says what is not so."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from router.execution.errors import SubgraphFailure
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse

Container = dict[str, Any] | list[Any]
Place = tuple[Container, Any]

OF_A_SCALAR = "of"
HTML = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
OUT_OF_ORDER = {"message": "out of order"}


def fail(request: SubgraphRequest, failure: str, answer: dict[str, Any]) -> SubgraphResponse:
    """What the subgraph says instead of the true ``answer``. Raises SubgraphFailure where it says nothing.

    BROKEN_FIELDS is not among them: the server itself has to execute so, because nulls go up from where a field breaks.
    """
    if failure == "refused":
        raise SubgraphFailure("SUBGRAPH_REQUEST_FAILED", f"Subgraph '{request.subgraph}' is down.")
    if failure == "timeout":
        raise SubgraphFailure("SUBGRAPH_TIMEOUT", f"Subgraph '{request.subgraph}' did not answer in time.")
    written = _WRITTEN.get(failure)
    if written is not None:
        return SubgraphResponse(*written)
    rng = random.Random(request.body)  # noqa: S311 - the same each time
    _CHANGES[failure](answer, rng)
    body = json.dumps(answer).encode()
    return SubgraphResponse(200, body[: len(body) // 2] if failure == "half a JSON" else body)


def needs_true_answer(failure: str) -> bool:
    """Whether the failure is a change of the true answer."""
    return failure in _CHANGES


def _fail_entity(answer: dict[str, Any], rng: random.Random) -> None:
    """An error at one entity, and null there; without entities, at the first field."""
    data = answer.get("data") or {}
    for key, value in data.items():
        path = [key]
        if key.startswith("_entities") and value:
            index = rng.randrange(len(value))
            value[index] = None
            path.append(index)
        else:
            data[key] = None
        answer.setdefault("errors", []).append({**OUT_OF_ORDER, "path": path})
        return


def _fail_leaf(answer: dict[str, Any], rng: random.Random) -> None:
    """An error at one value somewhere, and null there."""
    places = [place for place in _places(answer.get("data"), ()) if _is_field(place[1])]
    if not places:
        answer.update(data=None, errors=[OUT_OF_ORDER])
        return
    container, path = rng.choice(places)
    container[path[-1]] = None
    answer.setdefault("errors", []).append({**OUT_OF_ORDER, "path": list(path)})


def _lose_data(answer: dict[str, Any], _: random.Random) -> None:
    answer.update(data=None, errors=[OUT_OF_ORDER])


def _lose_entities(answer: dict[str, Any], _: random.Random) -> None:
    """Entities that the subgraph does not know; its other fields fail."""
    for key, value in (answer.get("data") or {}).items():
        if key.startswith("_entities") and value:
            answer["data"][key] = [None] * len(value)
        else:
            answer["data"][key] = None
            answer.setdefault("errors", []).append({**OUT_OF_ORDER, "path": [key]})


def _miscount(answer: dict[str, Any], rng: random.Random) -> None:
    data = answer.get("data") or {}
    counted = [key for key in data if key.startswith("_entities")]
    for key in counted:
        data[key] = data[key][:-1] if rng.random() < 0.5 else [*data[key], None]
    if not counted:
        _misshape(answer, rng)


def _misshape(answer: dict[str, Any], rng: random.Random) -> None:
    """A list or a scalar where an object belongs, an object where a list does, or a type that nobody knows."""
    places = [place for place in _places(answer.get("data"), ()) if _is_composite(place)]
    if not places:
        return
    container, path = rng.choice(places)
    value = container[path[-1]]
    if isinstance(value, list):
        container[path[-1]] = rng.choice(({"no": "list"}, "no list", 7))
    elif "__typename" in value and rng.random() < 0.5:
        value["__typename"] = rng.choice(("Nobody", 7, None))
    else:
        container[path[-1]] = rng.choice(([[[[]]]], "no object", False))


def _leave_out(answer: dict[str, Any], rng: random.Random) -> None:
    """Some keys that were asked for are not there, without a word of it."""
    fields = [place for place in _places(answer.get("data"), ()) if _is_field(place[1])]
    for container, path in rng.sample(fields, min(len(fields), rng.randint(1, 3))):
        del container[path[-1]]


def _is_composite(place: tuple[Container, tuple[Any, ...]]) -> bool:
    """Whether an object, or a list of some, is there."""
    container, path = place
    value = container[path[-1]]
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, dict) and OF_A_SCALAR not in value


def _is_field(path: tuple[Any, ...]) -> bool:
    return isinstance(path[-1], str) and path[-1] != "__typename" and not path[-1].startswith("_entities")


def _places(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Container, tuple[Any, ...]]]:
    """Every member with its path; what custom scalars hold is theirs to say."""
    members = (
        value.items()
        if isinstance(value, dict) and OF_A_SCALAR not in value
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, member in members:
        yield value, (*path, key)
        yield from _places(member, (*path, key))


_WRITTEN: dict[str, tuple[int, bytes]] = {
    "status": (503, b"try later"),
    "status 500 with data": (500, b'{"data": {"_entities": []}}'),
    "HTML": (200, HTML),
    "not an object": (200, b"[]"),
    "empty": (200, b""),
    "errors": (200, json.dumps({"errors": [OUT_OF_ORDER]}).encode()),
}
_CHANGES: dict[str, Callable[[dict[str, Any], random.Random], None]] = {
    "half a JSON": lambda answer, rng: None,
    "errors and null": _lose_data,
    "errors in part": _fail_entity,
    "errors with data": _fail_leaf,
    "null entities": _lose_entities,
    "wrong number": _miscount,
    "wrong shape": _misshape,
    "leaves out keys": _leave_out,
}
BROKEN_FIELDS = "broken fields"
FAILURES = ("refused", "timeout", BROKEN_FIELDS, *_WRITTEN, *_CHANGES)

"""How answers in parts are written: as the specification has it now, and as it was in August 2022.

In the one, fragments are announced with an id, and each field is delivered once, at the place that ``subPath`` names.
In the other, which Apollo Client asks for by ``deferSpec=20220824``, each fragment is delivered whole under its path
and label, with fields that others have delivered before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from router.execution.json_numbers import encode
from router.execution.merge import merge_object
from router.field_error import ClientPath, FieldError
from router.operation.model import DeferUsage
from router.response.deferred_fields import Keys
from router.response.incremental import Completed, DeferredFragment, DeliveredGroup, Delivery
from router.response.projection import ProjectedResult
from router.server.http.answer import in_trace
from router.server.http.negotiation import media_ranges

JsonObject = dict[str, Any]


class DeferredFormat(Enum):
    """The forms of an answer in parts, each with the media type of the stream."""

    CURRENT = b'multipart/mixed;boundary="-"'
    LEGACY = b'multipart/mixed;boundary="-";deferSpec=20220824'


def choose_deferred_format(accept: bytes) -> DeferredFormat | None:
    """The best of the forms that the client accepts; None where it accepts no answer in parts."""
    if b"multipart/" not in accept:
        return None
    best: tuple[float, DeferredFormat] | None = None
    for one in media_ranges(accept):
        if one.name != "multipart/mixed" or "subscriptionspec" in one.parameters:
            continue
        spec = one.parameters.get("deferspec")
        if spec not in (None, "20220824"):
            continue
        if one.quality > 0 and (best is None or one.quality > best[0]):
            best = one.quality, DeferredFormat.LEGACY if spec else DeferredFormat.CURRENT
    return best[1] if best is not None else None


class PayloadWriter:
    """Writes the payloads of one answer as JSON, in their order."""

    def __init__(self, form: DeferredFormat, keys: Mapping[DeferUsage, Keys]) -> None:
        self._is_legacy = form is DeferredFormat.LEGACY
        self._keys = keys
        self._data: JsonObject = {}

    def first(self, result: ProjectedResult, delivery: Delivery) -> bytes:
        """The first payload. Raises TypeError where the data is nested too deeply."""
        payload: JsonObject = {"errors": _told(result.errors)} if result.errors else {}
        payload["data"] = result.data
        if delivery.pending and not self._is_legacy:
            payload["pending"] = [_announce(fragment) for fragment in delivery.pending]
        written = encode({**payload, "hasNext": delivery.has_next})
        self._data = result.data or {}
        return written

    def subsequent(self, delivery: Delivery) -> bytes:
        """A payload after the first."""
        payload = self._legacy(delivery) if self._is_legacy else self._current(delivery)
        return encode({**payload, "hasNext": delivery.has_next})

    def _current(self, delivery: Delivery) -> JsonObject:
        payload: JsonObject = {}
        if delivery.pending:
            payload["pending"] = [_announce(fragment) for fragment in delivery.pending]
        over = {completed.fragment for completed in delivery.completed}
        incremental = [_deliver(group, over) for completed in delivery.completed for group in completed.groups]
        if incremental:
            payload["incremental"] = incremental
        if delivery.completed:
            payload["completed"] = [_complete(completed.fragment) for completed in delivery.completed]
        return payload

    def _legacy(self, delivery: Delivery) -> JsonObject:
        payloads: list[JsonObject] = []
        for completed in delivery.completed:
            for group in completed.groups:
                merge_object(_object_at(self._data, group.path), group.data)
            payloads.append(self._legacy_payload(completed))
        return {"incremental": payloads} if payloads else {}

    def _legacy_payload(self, completed: Completed) -> JsonObject:
        fragment = completed.fragment
        payload: JsonObject = {"path": fragment.path}
        if fragment.usage.label is not None:
            payload["label"] = fragment.usage.label
        errors = fragment.errors
        if errors is None:
            errors = [error for group in fragment.groups for error in group.errors]
            payload["data"] = _select(_object_at(self._data, fragment.path), self._keys[fragment.usage])
        else:
            payload["data"] = None
        if errors:
            payload["errors"] = _told(errors)
        return payload


def _announce(fragment: DeferredFragment) -> JsonObject:
    announced: JsonObject = {"id": str(fragment.number), "path": fragment.path}
    if fragment.usage.label is not None:
        announced["label"] = fragment.usage.label
    return announced


def _deliver(group: DeliveredGroup, over: set[DeferredFragment]) -> JsonObject:
    """A group, by the id of the nearest of its fragments that is pending."""
    candidates = [f for f in group.fragments if f.is_announced and (not f.is_over or (f in over and f.errors is None))]
    nearest = max(candidates, key=lambda fragment: len(fragment.path))
    delivered: JsonObject = {"id": str(nearest.number), "data": group.data}
    if len(group.path) > len(nearest.path):
        delivered["subPath"] = group.path[len(nearest.path) :]
    if group.errors:
        delivered["errors"] = _told(group.errors)
    return delivered


def _complete(fragment: DeferredFragment) -> JsonObject:
    completed: JsonObject = {"id": str(fragment.number)}
    if fragment.errors is not None:
        completed["errors"] = _told(fragment.errors)
    return completed


def _object_at(data: JsonObject, path: ClientPath) -> JsonObject:
    value: Any = data
    for step in path:
        value = value[step]
    found: JsonObject = value
    return found


def _select(value: Any, keys: Keys | None) -> Any:
    """What of a JSON value a fragment selects."""
    if keys is None:
        return value
    if isinstance(value, dict):
        return {key: _select(value[key], below) for key, below in keys.items() if key in value}
    if isinstance(value, list):
        return [_select(member, keys) for member in value]
    return value


def _told(errors: Iterable[FieldError]) -> Sequence[JsonObject]:
    return in_trace([error.to_json() for error in errors])

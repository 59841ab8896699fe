"""The answer to an operation with deferred fragments, as it grows: which fragments are pending, what completes them.

By incremental delivery of the GraphQL specification: a fragment stands at each object that it is selected on, and is
announced when the fragment around it, or the first answer, is delivered. It is complete when all groups of fields that
it waits for are there, each of which is delivered once. A null that goes up beyond a group fails the fragment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from router.field_error import ClientPath, FieldError
from router.operation.deferral import ancestors
from router.operation.model import DeferUsage
from router.response.completion import Completion, JsonObject
from router.response.deferred_fields import DeferredFields, DeferredProjection, Place
from router.response.projection import is_null, visible_errors


@dataclass(slots=True, eq=False)
class DeferredFragment:
    """A deferred fragment at one object. ``groups`` are there already; it is complete when none is ``missing``.

    ``errors`` is set where it has failed: nothing of it is delivered.
    """

    number: int
    usage: DeferUsage
    path: ClientPath
    around: DeferredFragment | None
    missing: int = 0
    groups: list[DeliveredGroup] = field(default_factory=list)
    errors: Sequence[FieldError] | None = None
    is_announced: bool = False
    is_over: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing more of it will come."""
        return self.errors is not None or self.missing == 0


@dataclass(slots=True, eq=False)
class DeliveredGroup:
    """Fields of the object at ``path``, for ``fragments``."""

    path: ClientPath
    fragments: Sequence[DeferredFragment]
    data: JsonObject
    errors: Sequence[FieldError]
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class Completed:
    """A fragment that is over: the ``groups`` that no other has delivered before it; none where it has failed."""

    fragment: DeferredFragment
    groups: Sequence[DeliveredGroup]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What has changed since the last one: newly ``pending`` fragments, and those that are over."""

    pending: Sequence[DeferredFragment]
    completed: Sequence[Completed]
    has_next: bool


class GrowingAnswer:
    """Follows one execution: takes in its parts as they come, and gives out what clients are to be told."""

    def __init__(self, projection: DeferredProjection, variables: Mapping[str, object]) -> None:
        self._projection = projection
        self._variables = variables
        self._fragments: dict[tuple[DeferUsage, ClientPath], DeferredFragment] = {}
        self._waiting: dict[int, list[tuple[DeferredFields, Place, list[DeferredFragment]]]] = {}
        self._parts: dict[int, _PartErrors] = {}

    def begin(self, projected: JsonObject | None, merged: JsonObject) -> None:
        """Take in the first answer, which the client gets as ``projected``."""
        if projected is not None:
            self._find(
                self._projection.groups, Place(projected, merged, (), self._projection.operation.first.root_type)
            )

    def add_part(self, part: int, errors: Sequence[FieldError]) -> None:
        """Take in a part, which has been merged with these errors."""
        planned = self._projection.planned
        if planned is not None:
            errors = visible_errors(planned, errors, self._variables)
        self._parts[part] = _PartErrors(errors)
        for fields, place, fragments in self._waiting.pop(part, ()):
            self._complete(fields, place, fragments)

    def fail(self, error: FieldError) -> None:
        """Fail every fragment that is not over: nothing more will come."""
        for fragment in self._fragments.values():
            if not fragment.is_over:
                fragment.errors = (error.at(fragment.path),)

    def announce(self) -> Delivery:
        """The fragments that are announced with the first answer, whatever has come since."""
        pending = [fragment for fragment in self._fragments.values() if fragment.around is None]
        for fragment in pending:
            fragment.is_announced = True
        return Delivery(pending, (), has_next=bool(pending))

    def deliver(self) -> Delivery:
        """What there is to tell by now."""
        pending: list[DeferredFragment] = []
        completed: list[Completed] = []
        progressed = True
        while progressed:
            progressed = False
            for fragment in list(self._fragments.values()):
                progressed = self._move_on(fragment, pending, completed) or progressed
        return Delivery(pending, completed, has_next=any(not one.is_over for one in self._fragments.values()))

    def _move_on(self, fragment: DeferredFragment, pending: list[DeferredFragment], completed: list[Completed]) -> bool:
        """Announce the fragment, or tell that it is over; whether anything changed."""
        around = fragment.around
        if fragment.is_over or (around is not None and not around.is_over):
            return False
        if around is not None and around.errors is not None:
            fragment.is_over, fragment.errors = True, around.errors  # Its object was never delivered: no one is told.
            return True
        if not fragment.is_announced:
            fragment.is_announced = True
            pending.append(fragment)
            return True
        if not fragment.is_settled:
            return False
        fragment.is_over = True
        groups = [group for group in fragment.groups if not group.is_sent] if fragment.errors is None else []
        for group in groups:
            group.is_sent = True
        completed.append(Completed(fragment, groups))
        return True

    def _find(self, groups: Iterable[DeferredFields], above: Place) -> None:
        """Find the objects of ``groups`` below one that is delivered, and the fragments that wait for them."""
        found = [(fields, place) for fields in groups for place in fields.places(above)]
        for usage in sorted({u for fields, _ in found for u in fields.usages}, key=lambda usage: usage.number):
            for fields, place in found:
                if usage in fields.usages:
                    self._fragment(usage, place.path).missing += 1
        for fields, place in found:
            fragments = [self._fragment(usage, place.path) for usage in fields.usages]
            if fields.part in self._parts:
                self._complete(fields, place, fragments)
            else:
                self._waiting.setdefault(fields.part, []).append((fields, place, fragments))

    def _fragment(self, usage: DeferUsage, path: ClientPath) -> DeferredFragment:
        """The fragment of ``usage`` at or above ``path``."""
        key = (usage, _cut(path, len(usage.path)))
        fragment = self._fragments.get(key)
        if fragment is None:
            above = ((one, _cut(path, len(one.path))) for one in ancestors(usage))
            around = next((self._fragments[one] for one in above if one in self._fragments), None)
            fragment = self._fragments[key] = DeferredFragment(len(self._fragments), usage, key[1], around)
        return fragment

    def _complete(self, fields: DeferredFields, place: Place, fragments: list[DeferredFragment]) -> None:
        """Project a group whose part is there; the objects that it delivers may have groups of their own."""
        told = self._parts[fields.part].at(place.path)
        completion = Completion(self._variables, told, {})
        data = fields.projection(place.type_name)(place.merged, _linked(place.path), completion)
        errors = self._errors_within(fields, place, completion, data) if told else completion.errors
        if data is None:
            for fragment in fragments:
                fragment.errors = [*(fragment.errors or ()), *errors]
            return
        group = DeliveredGroup(place.path, fragments, data, errors)
        for fragment in fragments:
            fragment.groups.append(group)  # Before those below it, which stand in its objects.
        self._find(fields.below, Place(data, place.merged, place.path, place.type_name))
        for fragment in fragments:
            fragment.missing -= 1

    def _errors_within(
        self, fields: DeferredFields, place: Place, completion: Completion, data: JsonObject | None
    ) -> list[FieldError]:
        """The errors of the fields that a group selects of the object at ``place``, and which became ``data``."""
        kept = []
        for error in completion.all_errors():
            within = fields.selected_path(place, error.path, self._variables)
            if within and (data is None or not error.explains_null or is_null(data, within)):
                kept.append(error.at((*place.path, *within)))
        return kept


class _PartErrors:
    """The errors of a part, found by the object that they are at, below or above."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self._errors = errors
        self._by_prefix: dict[int, dict[ClientPath, list[FieldError]]] = {}

    def at(self, path: ClientPath) -> list[FieldError]:
        """Those that concern the object at ``path``."""
        if not self._errors:
            return []
        length = len(path)
        prefixes = self._by_prefix.get(length)
        if prefixes is None:
            prefixes = self._by_prefix[length] = {}
            for error in self._errors:
                prefixes.setdefault(error.path[:length], []).append(error)
        above = (error for n in range(length) for error in prefixes.get(path[:n], ()))
        return [*above, *prefixes.get(path, ())]


def _cut(path: ClientPath, keys: int) -> ClientPath:
    """``path`` up to the object that its first ``keys`` response keys lead to, with the list indices there."""
    seen = 0
    for position, step in enumerate(path):
        if isinstance(step, str):
            if seen == keys:
                return path[:position]
            seen += 1
    return path


def _linked(path: ClientPath) -> tuple[object, str | int] | None:
    linked: tuple[object, str | int] | None = None
    for step in path:
        linked = (linked, step)
    return linked

"""Which values of the merged data are missing because of an error, and because of which: told to the client once, and
asked again by whatever needs them as input.

Nothing here is written while all goes well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import Struct, structs

from router.execution.brought import brought_by_lookup
from router.execution.executable import Brought, ExecutableFetch, ExecutableLookup
from router.execution.merge import JsonObject
from router.execution.places import objects_at
from router.field_error import ClientPath, FieldError
from router.planning.query_plan import OwnedField


@dataclass(slots=True, frozen=True)
class Loss:
    """What was to be ``brought`` to the objects at ``path`` below ``holders``, and is lost because of ``cause``."""

    holders: Sequence[JsonObject]
    path: ClientPath
    brought: Brought
    cause: FieldError


class Failures(Struct):
    """The errors of one execution, and which values of the merged data are missing because of them.

    ``causes`` maps the ``id`` of an object (the data keeps it alive) and a response key to the error that made the
    value null, ``absent`` to the one because of which it was not brought: a later fetch that needs it as input is not
    sent, and says so. What is missing for another reason (no subgraph knows the entity) is null as an input.
    ``late`` are losses inside objects that another fetch may still bring, and ``nulls`` errors of nulls in answers,
    where another may have brought an object or bring it later.
    ``first_loss`` stands for what leads to entities that come late; ``met`` are the ids of lookups and of the entities
    that these found, ``complete`` those of lookups made before anything failed, and ``made`` the others by fetch.
    ``untyped`` are fields that were lost if the object is of their type, which was not known then, and ``inside`` those
    lost in objects below an entity that are still to come. ``unnamed`` are objects that were to learn their type, with
    their paths, and the errors that tell why they are null unless another fetch brings it.
    ``stands`` has, by lookup and object, where an object stands and at which turn: it stays there, so it is found once.
    ``remainders`` are requests made up for what is left where inputs failed: kept, so that no other has their ids.
    """

    data: JsonObject
    variables: Mapping[str, object]
    errors: list[FieldError] = []
    causes: dict[int, dict[str, FieldError]] = {}
    absent: dict[int, dict[str, FieldError]] = {}
    late: list[Loss] = []
    nulls: dict[tuple[ClientPath, int], FieldError] = {}
    first_loss: FieldError | None = None
    met: set[tuple[int, int]] = set()
    complete: set[int] = set()
    made: dict[int, dict[int, tuple[ExecutableFetch, ExecutableLookup]]] = {}
    untyped: list[tuple[JsonObject, OwnedField, FieldError]] = []
    inside: list[tuple[ExecutableLookup, JsonObject, Sequence[OwnedField], FieldError]] = []
    unnamed: list[tuple[JsonObject, ClientPath, FieldError]] = []
    stands: dict[int, dict[int, tuple[int, ClientPath]]] = {}
    remainders: list[ExecutableFetch] = []

    def of_part(self) -> Failures:
        """The failures of another part of the answer: errors of its own, and the same missing values."""
        return structs.replace(self, errors=[], untyped=[], inside=[], unnamed=[], first_loss=None)

    @property
    def is_any(self) -> bool:
        """Whether anything is missing because of an error."""
        return bool(self.causes or self.absent)

    def add(self, error: FieldError) -> None:
        """Tell the client, and remember whose value is missing."""
        is_null = self._note_missing(error)
        self.errors.append(replace(error, explains_null=True) if is_null and error.path else error)

    def add_reported(self, error: FieldError, brought: Brought) -> None:
        """As ``add``, for what a subgraph tells: where its answer has null, all that it would have ``brought`` is lost.

        ``error.explains_null`` says whether it has; other subgraphs may have brought objects there.
        """
        self.add(error)
        if error.explains_null and self.nulls.setdefault((error.null_path, id(brought)), error) is error:
            self._lose(Loss((self.data,), error.null_path, brought, error))

    def lose(self, holders: Sequence[JsonObject], brought: Brought, cause: FieldError) -> None:
        """Remember that what should have been ``brought`` to ``holders``, and is not there, is missing because of
        ``cause``."""
        if holders:
            self._lose(Loss(holders, (), brought, cause))

    def see_late_objects(self) -> None:
        """Look again for objects in which something is lost: others may have brought them since."""
        for error in self.nulls.values():
            self._note_missing(error)
        for loss in self.late:
            self._note_absent(loss)

    def see_late_entities(self, fetches: Iterable[int]) -> None:
        """Whatever the lookups of ``fetches``, by id, would have brought of entities that came later is lost."""
        if self.first_loss is None:
            return
        for fetch, lookup in [made for one in fetches for made in self.made.get(one, {}).values()]:
            late = [one for one in lookup.entities(self.data) if (id(lookup), id(one)) not in self.met]
            self._note_absent(Loss(late, (), brought_by_lookup(fetch, lookup), self.first_loss))

    def _lose(self, loss: Loss) -> None:
        self.first_loss = self.first_loss or loss.cause
        self._note_absent(loss)
        if loss.brought and (loss.path or any(loss.brought.values())):
            self.late.append(loss)

    def _note_absent(self, loss: Loss) -> None:
        for holder in loss.holders:
            for lost in objects_at(holder, loss.path) if loss.path else (holder,):
                self._note_absent_in(lost, loss.brought, loss.cause)

    def _note_absent_in(self, holder: JsonObject, brought: Brought, cause: FieldError) -> None:
        known = self.absent.setdefault(id(holder), {})
        for key, below in brought.items():
            if key not in holder:
                known.setdefault(key, cause)
            elif below:
                for inner in objects_at(holder, (key,)):
                    self._note_absent_in(inner, below, cause)

    def _note_missing(self, error: FieldError) -> bool:
        """Remember whose value is missing: of the last object on the path, the next key. Whether nothing is there."""
        value: Any = self.data
        for step in error.path:
            if type(value) is dict and type(step) is str:
                parent, key = value, step
                value = value.get(key)
            elif type(value) is list and type(step) is int and 0 <= step < len(value):
                value = value[step]
            else:
                value = None
                break
            if type(value) not in (dict, list):
                self.causes.setdefault(id(parent), {}).setdefault(key, error)
        return value is None

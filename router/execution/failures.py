"""Where errors go: from a failed fetch, or a subgraph's GraphQL errors, to the client's paths.

Nothing here runs while all goes well. The merged data bears no paths: they are found again by walking it
(:func:`router.execution.places.locate`) when an error must be placed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from router.execution.brought import brought_at, brought_by_lookup, brought_by_roots
from router.execution.errors import SubgraphFailure
from router.execution.executable import ExecutableFetch, ExecutableLookup
from router.execution.merge import JsonObject
from router.execution.missing_values import Failures
from router.execution.places import Place, locate
from router.execution.representations import Batch
from router.execution.subgraph_error import read_error
from router.field_error import ClientPath, FieldError
from router.planning.query_plan import OwnedField


def fail_fetch(failures: Failures, fetch: ExecutableFetch, batches: Sequence[Batch], failure: SubgraphFailure) -> None:
    """The whole fetch failed: an error for every field that it owns, at every place."""
    _fail_all(failures, fetch, batches, _error_of(failure, fetch.subgraph))


def fail_lookup(
    failures: Failures, fetch: ExecutableFetch, lookup: ExecutableLookup, batch: Batch, failure: SubgraphFailure
) -> None:
    """One lookup of a fetch failed as a whole."""
    _fail_objects(failures, fetch, lookup, _members(batch.objects), _error_of(failure, fetch.subgraph))


def fail_group(
    failures: Failures,
    fetch: ExecutableFetch,
    lookup: ExecutableLookup,
    group: list[JsonObject],
    failure: SubgraphFailure,
) -> None:
    """One entity failed: an error for every owned field, at every place where the entity stands."""
    _fail_objects(failures, fetch, lookup, group, _error_of(failure, fetch.subgraph))


def fail_late_types(failures: Failures) -> None:
    """Tell of the lost fields of objects whose type another fetch has brought since."""
    told = {error.path for error in failures.errors}
    for holder, owned, error in failures.untyped:
        if error.path not in told and _is_due(failures, holder, owned):
            failures.add(error)


def fail_inside(failures: Failures) -> None:
    """Tell of the lost fields in objects below entities, once all that brings these has come."""
    if failures.inside:
        told = _told(failures)
        for lookup, entity, owned, error in failures.inside:
            _fail_owned(failures, _places(failures, lookup, [entity]), owned, error, told)


def fail_unnamed(failures: Failures) -> None:
    """Tell of objects that are of an unknown type, and therefore null, because what was to bring it has failed."""
    if failures.unnamed:
        told = _told(failures)
        still = {at: error for entity, at, error in failures.unnamed if "__typename" not in entity}
        failures.errors += (error for at, error in still.items() if at not in told)


def place_subgraph_errors(
    failures: Failures,
    fetch: ExecutableFetch,
    batches: Sequence[Batch],
    errors: Iterable[object],
    data: JsonObject | None,
) -> None:
    """Put each GraphQL error of a subgraph at the client's path, in ``_entities`` at every place of the entity.

    An error without a usable path falls on all fields of the fetch that are null. ``data`` is what the subgraph
    answered: an error of a value that is there all the same explains no null. Of several errors that fall on the same
    fields the first explains their nulls, and the others are told once, without a path: a short answer would come to as
    many errors as it has, times all nulls there are.
    """
    roots = places_of(fetch, failures.data)
    fallen: set[ClientPath] = set()
    for raw in errors:
        error, path = read_error(raw, fetch.subgraph)
        above = _steps_to_null(data, _renamed(fetch, path))
        if path and above is not None:
            error = replace(error, explains_null=True, null_above=above)
        falls_on = _falls_on(fetch, batches, error, path)
        if falls_on in fallen:
            if _owns_any(fetch, batches):
                failures.errors.append(error)
            continue
        if falls_on is not None:
            fallen.add(falls_on)
        if not fetch.lookups and path:
            within = fetch.rename_path(path)
            lost = brought_at(brought_by_roots(fetch), within[: len(within) - error.null_above])
            for at, _ in roots:
                failures.add_reported(replace(error, path=(*at, *within)), lost)
        elif fetch.lookups and path and isinstance(path[0], str):
            _place_entity_error(failures, fetch, batches, error, path)
        else:
            _fail_null_fields(failures, fetch, batches, error)


def _falls_on(
    fetch: ExecutableFetch, batches: Sequence[Batch], error: FieldError, path: ClientPath
) -> ClientPath | None:
    """The path of all that an ``error`` at ``path`` of the answer falls on: of the whole fetch (empty), of one of its
    lookups, or of an entity; None where it is at a field of its own.
    """
    if not fetch.lookups:
        return None if path else ()
    for lookup, batch in zip(fetch.lookups, batches, strict=True):
        if path and lookup.alias == path[0]:
            index = path[1] if len(path) > 1 else None
            if not isinstance(index, int) or not 0 <= index < len(batch.objects):
                return path[:1]
            first = lookup.rename_path(path[2:])[:1]
            return None if first and _may_hold(batch.objects[index][0], first[0], error) else path[:2]
    return ()


def _renamed(fetch: ExecutableFetch, path: ClientPath) -> ClientPath:
    """``path`` of a subgraph's answer, by the names that its keys have after their renaming."""
    if not fetch.lookups:
        return fetch.rename_path(path)
    lookup = next((one for one in fetch.lookups if path and one.alias == path[0]), None)
    return path if lookup is None else (*path[:2], *lookup.rename_path(path[2:]))


def _steps_to_null(data: Any, path: ClientPath) -> int | None:
    """How many steps above ``path`` of a subgraph's answer it has null, or nothing; None where a value is there."""
    for length, step in enumerate(path):
        if type(data) is dict:
            data = data.get(step)
        elif type(data) is list and type(step) is int and 0 <= step < len(data):
            data = data[step]
        else:
            return len(path) - length
    return None if data is not None else 0


def ensure_told(failures: Failures, fetch: ExecutableFetch, batches: Sequence[Batch], first: object) -> None:
    """After an answer whose data is null: whatever it owned and no error names yet gets the first of its errors."""
    error, _ = read_error(first, fetch.subgraph)
    _fail_all(failures, fetch, batches, error, unless_told=True)


def places_of(fetch: ExecutableFetch, data: JsonObject) -> list[Place]:
    """Where the root fields of a fetch go: the root, or the ``Query`` objects below it that they were asked for."""
    if not fetch.at:
        return [((), data)]
    return [place for path in fetch.at for place in locate(data, path)]


def _error_of(failure: SubgraphFailure, subgraph: str) -> FieldError:
    return FieldError((), failure.message, {"code": failure.code, "service": subgraph})


def _place_entity_error(
    failures: Failures, fetch: ExecutableFetch, batches: Sequence[Batch], error: FieldError, path: ClientPath
) -> None:
    for lookup, batch in zip(fetch.lookups, batches, strict=True):
        if lookup.alias != path[0]:
            continue
        index = path[1] if len(path) > 1 else None
        if not isinstance(index, int) or not 0 <= index < len(batch.objects):
            _fail_objects(failures, fetch, lookup, _members(batch.objects), error)
        elif len(path) == 2:
            _fail_objects(failures, fetch, lookup, batch.objects[index], error)
        else:
            at_places = replace(error, path=lookup.rename_path(path[2:]))
            _fail_within_entity(failures, fetch, lookup, batch.objects[index], at_places)
        return
    _fail_null_fields(failures, fetch, batches, error)


def _fail_within_entity(
    failures: Failures, fetch: ExecutableFetch, lookup: ExecutableLookup, group: list[JsonObject], error: FieldError
) -> None:
    """An error at its path inside an entity; it costs all that was asked of it if null went up as far as that."""
    within = error.path
    null_above = min(error.null_above, len(within))
    lost = brought_at(brought_by_lookup(fetch, lookup), within[: len(within) - null_above])
    for at, target in _places(failures, lookup, group):
        first = within[0]
        if _may_hold(target, first, error):
            failures.add_reported(replace(error, path=(*at, *within), null_above=null_above), lost)
        else:
            _fail_objects(failures, fetch, lookup, [target], error)


def _may_hold(target: JsonObject, key: str | int, error: FieldError) -> bool:
    """Whether an error may stand at or below ``key`` of an object that was merged: it may at whatever was answered."""
    if not error.explains_null:
        return True
    return key in target and (target[key] is None or type(target[key]) in (dict, list))


def _fail_null_fields(failures: Failures, fetch: ExecutableFetch, batches: Sequence[Batch], error: FieldError) -> None:
    """Put ``error`` at every null field that the fetch owns; at no place, if all that it owns is there.

    A fetch that only brings inputs owns nothing: what needs these will tell.
    """
    before = len(failures.errors), len(failures.unnamed)
    _fail_all(failures, fetch, batches, error)
    if _owns_any(fetch, batches) and (len(failures.errors), len(failures.unnamed)) == before:
        failures.errors.append(error)


def _owns_any(fetch: ExecutableFetch, batches: Sequence[Batch]) -> bool:
    """Whether the client asked for anything of what ``fetch`` brings."""
    of_entities = any(lookup.owned and batch.objects for lookup, batch in zip(fetch.lookups, batches, strict=True))
    return bool(fetch.owned) or of_entities


def _fail_all(
    failures: Failures,
    fetch: ExecutableFetch,
    batches: Sequence[Batch],
    error: FieldError,
    *,
    unless_told: bool = False,
) -> None:
    if not fetch.lookups:
        places = places_of(fetch, failures.data)
        _fail_owned(failures, places, fetch.owned, error, _told(failures) if unless_told else ())
        failures.lose([target for _, target in places], brought_by_roots(fetch), error)
    for lookup, batch in zip(fetch.lookups, batches, strict=True):
        _fail_objects(failures, fetch, lookup, _members(batch.objects), error, unless_told=unless_told)


def fail_fields(
    failures: Failures,
    lookup: ExecutableLookup,
    objects: list[JsonObject],
    owned: Sequence[OwnedField],
    error: FieldError,
) -> None:
    """Put ``error`` at the fields ``owned`` of a lookup, at every place of ``objects``."""
    _fail_owned(failures, _places(failures, lookup, objects), owned, error)


def fail_computed(
    failures: Failures, lookup: ExecutableLookup, entity: JsonObject, owned: Sequence[OwnedField], error: FieldError
) -> None:
    """As ``fail_fields``, where the rest of the entity is asked for: what stands inside it is told of at the end."""
    fail_fields(failures, lookup, [entity], [one for one in owned if not one.path], error)
    if inside := [one for one in owned if one.path]:
        failures.inside.append((lookup, entity, inside, error))


def _fail_objects(
    failures: Failures,
    fetch: ExecutableFetch,
    lookup: ExecutableLookup,
    objects: list[JsonObject],
    error: FieldError,
    *,
    unless_told: bool = False,
) -> None:
    told = _told(failures) if unless_told else ()
    places = _places(failures, lookup, objects)
    _fail_owned(failures, places, lookup.owned, error, told)
    brought = brought_by_lookup(fetch, lookup)
    failures.lose(objects, brought, error)
    if "__typename" in brought:
        failures.unnamed += (
            (entity, at, replace(error, path=(*at, *error.path), explains_null=True))
            for at, entity in places
            if "__typename" not in entity
        )


def _told(failures: Failures) -> Collection[ClientPath]:
    """The paths of all errors, and of what is above them."""
    return {prefix for error in failures.errors for prefix in _prefixes(error.path)}


def _fail_owned(
    failures: Failures,
    places: Iterable[Place],
    owned: Sequence[OwnedField],
    error: FieldError,
    told: Collection[ClientPath] = (),
) -> None:
    added: set[ClientPath] = set()  # What several fields stand in is missing once.
    for at, target in places:
        for one in owned:
            for within, holder, lost in _holders(target, one):
                path = (*at, *within, lost.response_key)
                if lost.types is not None and "__typename" not in holder:
                    failures.untyped.append((holder, lost, error.at(path)))
                if path not in told and path not in added and _is_due(failures, holder, lost):
                    added.add(path)
                    failures.add(error.at(path))


def _holders(target: JsonObject, owned: OwnedField) -> Iterator[tuple[ClientPath, JsonObject, OwnedField]]:
    """The objects that ``owned`` belongs to, and it; where nobody brought them, what is missing itself."""
    if owned.start_types is not None and target.get("__typename") not in owned.start_types:
        return
    level: list[Place] = [((), target)]
    for step in owned.path:
        key = step.response_key
        missing = OwnedField(key, None, owned.conditions)
        yield from ((within, holder, missing) for within, holder in level if key not in holder)
        level = [((*within, *at), found) for within, holder in level for at, found in locate(holder, (step,))]
    yield from ((within, holder, owned) for within, holder in level)


def _is_due(failures: Failures, target: JsonObject, owned: OwnedField) -> bool:
    """Whether ``owned`` is asked of ``target`` in this request, and not there."""
    if owned.types is not None and target.get("__typename") not in owned.types:
        return False
    if not all(condition.holds(failures.variables) for condition in owned.conditions):
        return False
    return target.get(owned.response_key) is None


def _places(failures: Failures, lookup: ExecutableLookup, objects: list[JsonObject]) -> list[Place]:
    """Where ``objects`` of a lookup stand, in document order."""
    stands = failures.stands.setdefault(id(lookup), {})
    if any(id(member) not in stands for member in objects):
        found = (place for path in lookup.paths for place in locate(failures.data, path))
        stands.update((id(target), (turn, at)) for turn, (at, target) in enumerate(found))
    placed = [(*stands[id(member)], member) for member in objects if id(member) in stands]
    placed.sort(key=itemgetter(0))
    return [(at, member) for _, at, member in placed]


def _members(groups: Sequence[list[JsonObject]]) -> list[JsonObject]:
    return [member for group in groups for member in group]


def _prefixes(path: ClientPath) -> Iterable[ClientPath]:
    return (path[:length] for length in range(1, len(path) + 1))

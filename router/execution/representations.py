"""Building the representations of entities from the merged data, by functions compiled once per plan.

For ``Representation(None, "Product", (InputField("upc", "upc", False), InputField("weight", "w", True)))`` the object
``{"upc": "1", "w": 5, "name": "Table"}`` becomes ``{"__typename": "Product", "upc": "1", "weight": 5}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from msgspec import Struct
from orjson import Fragment

from router.execution.json_numbers import encode
from router.execution.merge import JsonObject
from router.planning.query_plan import InputField, InputSelection, Representation

_UNUSABLE: Final = object()
_PLAIN = frozenset({str, int})

Fill = Callable[[JsonObject, JsonObject], bool]
Chain = tuple[JsonObject, ...]  # The objects that lead to an entity, itself last.
# By the number of the representation, and the numbers of the computed fields that cannot be asked for.
Apart = dict[tuple[int, frozenset[int]], list[Chain]]


@dataclass(frozen=True, slots=True)
class InContext:
    """``size`` representations that follow each other, and the ``values`` as JSON that their lookup's contexts have."""

    values: tuple[bytes, ...]
    size: int


class Batch(Struct):
    """What one lookup sends: ``representations``, and for each the objects that share it and get its result.

    ``sent`` is how many objects those are. ``contexts`` says how they are grouped, where fields of the lookup take
    values from the objects around. ``apart`` are the entities that lack inputs of some fields, and are to be asked for
    the others alone. ``lacks_inputs`` says that the key of an input is absent from an entity.
    """

    representations: list[JsonObject | Fragment] = []
    objects: list[list[JsonObject]] = []
    contexts: list[InContext] = []
    apart: Apart | None = None
    lacks_inputs: bool = False
    sent: int = 0


class Leaves(Struct, frozen=True):
    """The inputs of a representation: ``read`` gives the row of their values, or the value where it is one, and
    ``write`` the whole representation."""

    read: Callable[[JsonObject], Any]
    write: Callable[[JsonObject], JsonObject]
    width: int

    def plain_rows(self, entities: Sequence[JsonObject]) -> list[Any] | None:
        """The rows, where all values are strings and integers: those are equal in Python only if their JSON is."""
        try:
            rows = list(map(self.read, entities))
        except KeyError:
            return None
        values = rows if self.width == 1 else chain.from_iterable(rows)
        return rows if _PLAIN.issuperset(map(type, values)) else None


@dataclass(slots=True)
class Builder:
    """Builds representations of one form. ``number`` is that of the representation among those of the lookup.

    ``leaves`` where all inputs are leaves of a known type.
    """

    typename: str | None
    fill: Fill
    leaves: Leaves | None
    input_fields: tuple[InputField, ...]
    number: int

    def build(self, entity: JsonObject) -> JsonObject | None:
        """The representation of ``entity``; None where its type is unknown, or a value that must not be null is."""
        name = self.typename if self.typename is not None else entity.get("__typename")
        if type(name) is not str:
            return None
        representation: JsonObject = {"__typename": name}
        return representation if self.fill(entity, representation) else None

    def add_all(self, entities: Sequence[JsonObject], batch: Batch) -> None:
        """Put each entity into its group of ``batch``; nowhere, if it cannot be sent."""
        rows = self.leaves.plain_rows(entities) if self.leaves is not None else None
        if self.leaves is None or rows is None:
            self._add_each(entities, batch)
            return
        batch.sent += len(rows)
        write = self.leaves.write
        if len(set(rows)) == len(rows):
            batch.representations.extend(map(write, entities))
            batch.objects.extend([[entity] for entity in entities])
            return
        groups: dict[Any, list[JsonObject]] = {}
        for row, entity in zip(rows, entities, strict=True):
            groups.setdefault(row, []).append(entity)
        batch.representations.extend(write(group[0]) for group in groups.values())
        batch.objects.extend(groups.values())

    def _add_each(self, entities: Sequence[JsonObject], batch: Batch) -> None:
        """As ``add_all``. Groups are found by JSON: 1, 1.0 and True are equal in Python, and lists have no hash."""
        batch.lacks_inputs = batch.lacks_inputs or lacks_inputs(entities, self.input_fields)
        groups: dict[bytes, list[JsonObject]] = {}
        for entity in entities:
            representation = self.build(entity)
            if representation is not None:
                groups.setdefault(encode(representation), []).append(entity)
                batch.sent += 1
        batch.representations += map(Fragment, groups)
        batch.objects += groups.values()


@dataclass(frozen=True, slots=True)
class Builders:
    """The builders of one lookup: those that are for some types, by ``__typename``, and one for all other entities."""

    by_type: Mapping[str, Builder]
    otherwise: Builder | None

    def of(self, entity: JsonObject) -> Builder | None:
        """The builder of the entity's representation; None where none applies."""
        name = entity.get("__typename")
        return self.by_type.get(name, self.otherwise) if type(name) is str else self.otherwise


def compile_builders(representations: Sequence[Representation]) -> Builders:
    """The builders of representations in the order of their precedence."""
    by_type: dict[str, Builder] = {}
    otherwise: Builder | None = None
    for number, representation in enumerate(representations):
        builder = compile_builder(representation, number)
        if representation.types is None:
            otherwise = otherwise or builder
        for name in representation.types or ():
            by_type.setdefault(name, builder)
    return Builders(by_type, otherwise)


def compile_builder(representation: Representation, number: int = 0) -> Builder:
    """The builder of one form of representation."""
    fields = representation.fields
    typename = representation.typename
    leaves = tuple((item.name, item.response_key) for item in fields if item.inputs is None)
    is_flat = typename is not None and len(leaves) == len(fields)
    compiled = _compile_leaves(typename, leaves) if leaves and is_flat else None
    return Builder(typename, compile_fields(fields), compiled, fields, number)


@lru_cache(maxsize=1000)
def _compile_leaves(typename: str | None, leaves: tuple[tuple[str, str], ...]) -> Leaves:
    """Each leaf by the name that it is sent as, and its key in the merged data.

    Generated source, because a loop over the leaves takes twice as long, for each entity of each request (measured).
    """
    members = "".join(f", {name!r}: entity[{key!r}]" for name, key in leaves)
    write = eval(f"lambda entity: {{'__typename': {typename!r}{members}}}")  # noqa: S307 - quoted literals alone
    return Leaves(itemgetter(*(key for _, key in leaves)), write, len(leaves))


def gather(entities: Sequence[JsonObject], builders: Builders) -> Batch:
    """The batch of ``entities``: those of one builder together, equal representations once."""
    batch = Batch()
    if not builders.by_type:
        if builders.otherwise is not None:
            builders.otherwise.add_all(entities, batch)
        return batch
    entities_of: dict[int, tuple[Builder, list[JsonObject]]] = {}
    for entity in entities:
        builder = builders.of(entity)
        if builder is not None:
            entities_of.setdefault(id(builder), (builder, []))[1].append(entity)
    for builder, alike in entities_of.values():
        builder.add_all(alike, batch)
    return batch


def lacks_inputs(value: Any, fields: Sequence[InputField]) -> bool:
    """Whether the key of one of ``fields`` is absent from an object, or one of a list of them."""
    if type(value) is list:
        return any(lacks_inputs(member, fields) for member in value)
    return type(value) is dict and any(one.response_key not in value or _lacks_inputs_of(value, one) for one in fields)


def _lacks_inputs_of(entity: JsonObject, one: InputField) -> bool:
    return any(lacks_selection(entity[one.response_key], selection) for selection in one.inputs or ())


def lacks_selection(value: Any, selection: InputSelection) -> bool:
    """As ``lacks_inputs``, for the objects that ``selection`` applies to."""
    if type(value) is list:
        return any(lacks_selection(member, selection) for member in value)
    if type(value) is not dict or (selection.types is not None and value.get("__typename") not in selection.types):
        return False
    return lacks_inputs(value, selection.fields)


def compile_fields(fields: Sequence[InputField]) -> Fill:
    """A function that fills a representation from an entity; whether all that must be there is."""
    leaves = tuple((item.name, item.response_key, item.nullable) for item in fields if item.inputs is None)
    nested = tuple(
        (item.name, item.response_key, item.nullable, _compile_value(item.inputs))
        for item in fields
        if item.inputs is not None
    )

    def fill(source: JsonObject, target: JsonObject) -> bool:
        for name, key, nullable in leaves:
            value = source.get(key)
            if value is None and not nullable:
                return False
            target[name] = value
        for name, key, nullable, build in nested:
            value = build(source.get(key))
            if value is _UNUSABLE or (value is None and not nullable):
                return False
            target[name] = value
        return True

    return fill


def _compile_value(selections: tuple[InputSelection, ...]) -> Callable[[Any], Any]:
    """A function from an object, or lists of objects, to what is sent of it; None where it is null.

    Where a part that must be there is not, in one object of a list too, all of it is of no use.
    """
    fills = tuple(
        (
            frozenset(selection.types) if selection.types is not None else None,
            selection.send_typename,
            compile_fields(selection.fields),
        )
        for selection in selections
    )

    def build(value: Any) -> Any:
        if type(value) is list:
            built = [build(member) for member in value]
            return _UNUSABLE if any(member is _UNUSABLE for member in built) else built
        if type(value) is not dict:
            return None
        target: JsonObject = {}
        name = value.get("__typename")
        for types, send_typename, fill in fills:
            if types is not None and (type(name) is not str or name not in types):
                continue
            if send_typename:
                target["__typename"] = name
            if not _fill_more(target, value, fill):
                return _UNUSABLE
        return target

    return build


def _fill_more(target: JsonObject, source: JsonObject, fill: Fill) -> bool:
    """Fill ``target`` with further fields; objects that an earlier selection filled are merged."""
    if not target:
        return fill(source, target)
    more: JsonObject = {}
    if not fill(source, more):
        return False
    for key, value in more.items():
        target[key] = _combine(target[key], value) if key in target else value
    return True


def _combine(present: Any, value: Any) -> Any:
    if type(present) is dict and type(value) is dict:
        return {**present, **{key: _combine(present[key], v) if key in present else v for key, v in value.items()}}
    if type(present) is list and type(value) is list:
        return [_combine(old, new) for old, new in zip(present, value, strict=True)]
    return value

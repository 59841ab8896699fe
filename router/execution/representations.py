"""Building the representations of entities from the merged data, by functions compiled once per plan.

For ``Representation(None, "Product", (InputField("upc", "upc", False), InputField("weight", "w", True)))`` the object
``{"upc": "1", "w": 5, "name": "Table"}`` becomes ``{"__typename": "Product", "upc": "1", "weight": 5}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from router.execution.json_numbers import encode
from router.execution.merge import JsonObject
from router.planning.query_plan import InputField, InputSelection, Representation

_UNUSABLE: Final = object()

Fill = Callable[[JsonObject, JsonObject], bool]
Chain = tuple[JsonObject, ...]  # The objects that lead to an entity, itself last.
# By the number of the representation, and the numbers of the computed fields that cannot be asked for.
Apart = dict[tuple[int, frozenset[int]], list[Chain]]


@dataclass(frozen=True, slots=True)
class InContext:
    """``size`` representations that follow each other, and the ``values`` as JSON that their lookup's contexts have."""

    values: tuple[bytes, ...]
    size: int


@dataclass(slots=True)
class Batch:
    """What one lookup sends: ``representations`` as JSON, and for each the objects that share it and get its result.

    ``contexts`` says how they are grouped, where fields of the lookup take values from the objects around. ``apart``
    are the entities that lack inputs of some fields, and are to be asked for the others alone.
    """

    representations: list[bytes] = field(default_factory=list)
    objects: list[list[JsonObject]] = field(default_factory=list)
    contexts: list[InContext] = field(default_factory=list)
    apart: Apart | None = None


@dataclass(slots=True)
class Builder:
    """Builds representations of one form; ``groups`` of a batch are found by what the representation is made of.

    Where all inputs are leaves of a known type, ``read`` takes their values at once, and ``names`` are what they are
    sent as. ``number`` is that of the representation among those of the lookup.
    """

    typename: str | None
    fill: Fill
    read: Callable[[JsonObject], Any] | None
    names: tuple[str, ...]
    input_fields: tuple[InputField, ...]
    number: int

    def build(self, entity: JsonObject) -> JsonObject | None:
        """The representation of ``entity``; None where its type is unknown, or a value that must not be null is."""
        name = self.typename if self.typename is not None else entity.get("__typename")
        if type(name) is not str:
            return None
        representation: JsonObject = {"__typename": name}
        return representation if self.fill(entity, representation) else None

    def add_all(
        self, entities: Iterable[JsonObject], groups: dict[str | bytes, list[JsonObject]], batch: Batch
    ) -> None:
        """Put each entity into its group of ``batch``; nowhere, if it cannot be sent."""
        read = self.read
        for entity in entities:
            try:
                values = read(entity) if read is not None else None
            except KeyError:
                values = None
            identity: str | bytes | None = None
            if values is not None:
                # Encoded, because 1, 1.0 and True are equal in Python, and lists have no hash.
                identity = values if type(values) is str else encode(values)
                group = groups.get(identity)
                if group is not None:
                    group.append(entity)
                    continue
            representation = self._representation(entity, values)
            if representation is not None:
                self._open_group(entity, representation, identity, groups, batch)

    def _open_group(
        self,
        entity: JsonObject,
        representation: JsonObject,
        identity: str | bytes | None,
        groups: dict[str | bytes, list[JsonObject]],
        batch: Batch,
    ) -> None:
        sent = encode(representation)
        key = sent if identity is None else identity
        group = groups.get(key)
        if group is not None:
            group.append(entity)
            return
        groups[key] = [entity]
        batch.representations.append(sent)
        batch.objects.append(groups[key])

    def _representation(self, entity: JsonObject, values: Any) -> JsonObject | None:
        """As ``build``, from the values that ``read`` gave, where none of them is null."""
        if type(values) is not tuple or None in values:
            return self.build(entity)
        return dict(zip(self.names, (self.typename, *values), strict=True))


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
    flat = bool(fields) and representation.typename is not None and all(item.inputs is None for item in fields)
    read = itemgetter(*(item.response_key for item in fields)) if flat else None
    names = ("__typename", *(item.name for item in fields))
    return Builder(representation.typename, compile_fields(fields), read, names, fields, number)


def gather(entities: Sequence[JsonObject], builders: Builders) -> Batch:
    """The batch of ``entities``, equal representations once, in the order of their first appearance."""
    batch = Batch()
    if not builders.by_type:
        if builders.otherwise is not None:
            builders.otherwise.add_all(entities, {}, batch)
        return batch
    groups_of: dict[int, dict[str | bytes, list[JsonObject]]] = {}
    for entity in entities:
        builder = builders.of(entity)
        if builder is not None:
            builder.add_all((entity,), groups_of.setdefault(id(builder), {}), batch)
    return batch


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

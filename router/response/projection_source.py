"""Writing the projection of an operation as Python source: one function for each object and list that is selected.

For ``{ product { name } }`` it writes, with ``c`` the :class:`~router.response.completion.Completion`::

    def object_0(o, path, c):
        r = {}
        x = o.get('product')
        r['product'] = object_1(x, (path, 'product'), c) if type(x) is dict else c.irregular(x, o, path, ...)
        return r

    def object_1(o, path, c):
        r = {}
        x = o.get('name')
        r['name'] = x if type(x) is str else c.leaf(x, o, path, 'name', 'String')
        return r

Generated source, because a closure for each leaf costs as much again as all the rest of the projection (measured).
Functions with the same source, in whatever operations, share their code, which is most of what an operation weighs.
Only names that the GraphQL grammar allows enter the source, each as a quoted literal. A function that returns None has
told the error, or met a null, of a field that cannot be null: the object or list is null then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_non_null_type,
)

from router.operation.authorization import NOTHING_DENIED, Denied
from router.operation.model import Condition
from router.response.completion import Completion, JsonObject, LinkedPath
from router.response.fields import Occurrence, SelectionSets, collect_fields

ProjectObject = Callable[[JsonObject, LinkedPath, Completion], JsonObject | None]

_LONGEST_SHARED_SOURCE = 2000
INTROSPECTION_FIELDS = ("__schema", "__type")
_IS_SOUND = {
    "String": "type(x) is str",
    "ID": "type(x) is str",
    "Int": "type(x) is int and -2147483648 <= x <= 2147483647",
    "Float": "type(x) is float or type(x) is int",
    "Boolean": "type(x) is bool",
}


@dataclass(slots=True)
class ProjectionWriter:
    """Compiles projections of one operation over ``schema``; what is equal is compiled once.

    The objects of an abstract type are compiled when the first of their concrete type is met: a selection may apply to
    many types, of which data has few. What is ``denied`` is never read from the data.
    """

    schema: GraphQLSchema
    denied: Denied = NOTHING_DENIED
    namespace: dict[str, Any] = field(default_factory=dict)
    _names: dict[object, str] = field(default_factory=dict)
    _unwritten: list[tuple[str, str, SelectionSets]] = field(default_factory=list)
    _written: list[str] = field(default_factory=list)
    _bodies: dict[str, str] = field(default_factory=dict)
    _equal: list[tuple[str, str]] = field(default_factory=list)

    def compile_object(self, type_name: str, selection_sets: SelectionSets) -> ProjectObject:
        """The projection of objects of type ``type_name``."""
        name = self._object(type_name, selection_sets)
        while self._unwritten:
            self._write_object(*self._unwritten.pop())
        written, self._written = self._written, []
        for source in written:
            exec(_code_of(source), self.namespace)  # noqa: S102 - see the module's docstring
        equal, self._equal = self._equal, []
        for other, first in equal:
            self.namespace[other] = self.namespace[first]
        function: ProjectObject = self.namespace[name]
        return function

    def _object(self, type_name: str, selection_sets: SelectionSets) -> str:
        """The name of the function for this object; it is written later, so that depth costs no stack."""
        # By identity: comparing selections would read all that is below them. The operation keeps them alive.
        identity = (type_name, tuple((one.conditions, id(one.selections)) for one in selection_sets))
        name = self._names.get(identity)
        if name is None:
            name = self._names[identity] = f"object_{len(self._names)}"
            self._unwritten.append((name, type_name, selection_sets))
        return name

    def _write_object(self, name: str, type_name: str, selection_sets: SelectionSets) -> None:
        lines = ["    r = {}"]
        for occurrence in collect_fields(self.schema, type_name, selection_sets, self.denied):
            lines += self._occurrence(type_name, occurrence)
        body = "\n".join([*lines, "    return r", ""])
        first = self._bodies.setdefault(body, name)
        if first is name:
            self._written.append(f"def {name}(o, path, c):\n{body}")
        else:  # A thousand aliases of one field, each with the same selection, are one function.
            self._equal.append((name, first))

    def _occurrence(self, type_name: str, occurrence: Occurrence) -> list[str]:
        key = occurrence.field.response_key
        conditions = [_condition(condition) for condition in occurrence.conditions]
        if not occurrence.is_first:
            conditions.append(f"{key!r} not in r")
        body = self._field(type_name, occurrence)
        if not conditions:
            return [f"    {line}" for line in body]
        return [f"    if {' and '.join(conditions)}:", *(f"        {line}" for line in body)]

    def _field(self, type_name: str, occurrence: Occurrence) -> list[str]:
        key, name = occurrence.field.response_key, occurrence.field.name
        if name == "__typename":
            return [f"r[{key!r}] = {type_name!r}"]
        if name in INTROSPECTION_FIELDS:
            return [f"r[{key!r}] = c.introspection[{key!r}]"]
        parent = self.schema.get_type(type_name)
        assert isinstance(parent, GraphQLObjectType)  # noqa: S101 - collect_fields was asked of an object type
        kind = parent.fields[name].type
        if occurrence.is_denied:
            denial = f"c.unauthorized(path, {key!r}, {f'{type_name}.{name}'!r})"
            # A field that cannot be null takes its object along.
            return [f"return {denial}"] if is_non_null_type(kind) else [f"r[{key!r}] = {denial}"]
        value = self._value(kind, occurrence.selection_sets, "o", repr(key), f"{type_name}.{name}")
        lines = [f"x = o.get({key!r})"]
        if not is_non_null_type(kind):
            return [*lines, f"r[{key!r}] = {value}"]
        null = f"return c.null(path, {key!r}, {f'{type_name}.{name}'!r})"
        return [*lines, f"x = {value}", f"if x is None: {null}", f"r[{key!r}] = x"]

    def _value(self, kind: GraphQLOutputType, selection_sets: SelectionSets, parent: str, step: str, where: str) -> str:
        """An expression that completes ``x``, found at ``step`` of ``parent``; None where it must be null."""
        nullable = get_nullable_type(kind)
        if isinstance(nullable, GraphQLList):
            function = self._list(nullable, selection_sets, where)
            return f"{function}(x, (path, {step}), c) if type(x) is list else {_irregular(parent, step, 'a list')}"
        if is_leaf_type(nullable):
            return self._leaf(nullable, parent, step)
        if is_abstract_type(nullable):
            function = self._abstract(nullable.name, selection_sets)
        else:
            function = self._object(nullable.name, selection_sets)
        return f"{function}(x, (path, {step}), c) if type(x) is dict else {_irregular(parent, step, 'an object')}"

    def _leaf(self, kind: Any, parent: str, step: str) -> str:
        sound = _IS_SOUND.get(kind.name)
        if sound is not None:
            return f"x if {sound} else c.leaf(x, {parent}, path, {step}, {kind.name!r})"
        if isinstance(kind, GraphQLEnumType):
            values = f"enum_{kind.name}"
            self.namespace[values] = kind.values  # The schema's own: no copy for each operation.
            sound = f"type(x) is str and x in {values}"
            return f"x if {sound} else {_irregular(parent, step, f'a value of enum {kind.name}')}"
        return f"x if x is not None else {_irregular(parent, step, kind.name)}"

    def _list(self, kind: GraphQLList[Any], selection_sets: SelectionSets, where: str) -> str:
        item = self._value(kind.of_type, selection_sets, "v", "i", where)
        name = f"list_{len(self.namespace)}"
        self.namespace[name] = None  # The name is taken until the function is defined.
        lines = [f"def {name}(v, path, c):", f"    r = [{item} for i, x in enumerate(v)]"]
        if isinstance(kind.of_type, GraphQLNonNull):
            lines.append(f"    if None in r: return c.null_item(r, path, {where!r})")
        self._written.append("\n".join([*lines, "    return r", ""]))
        return name

    def _abstract(self, type_name: str, selection_sets: SelectionSets) -> str:
        name = f"abstract_{len(self.namespace)}"
        self.namespace[name] = _compile_abstract(self, type_name, selection_sets)
        return name


def _compile_abstract(writer: ProjectionWriter, abstract: str, selection_sets: SelectionSets) -> ProjectObject:
    """The projection of objects of an abstract type: that of the concrete type their ``__typename`` says."""
    schema = writer.schema
    kind = schema.get_type(abstract)
    possible = {t.name for t in schema.get_possible_types(kind)} if is_abstract_type(kind) else set()
    compiled: dict[Any, ProjectObject] = {}

    def project(value: JsonObject, path: LinkedPath, completion: Completion) -> JsonObject | None:
        name = value.get("__typename")
        function = compiled.get(name) if type(name) is str else None
        if function is None:
            if type(name) is not str or name not in possible:
                completion.unknown_type(value, path, abstract)
                return None
            if name in writer.denied:
                completion.unauthorized_object(path, name)
                return None
            function = compiled[name] = writer.compile_object(name, selection_sets)
        return function(value, path, completion)

    return project


def _code_of(source: str) -> CodeType:
    """The code of one function. Long ones are seldom met twice, and would make what is remembered heavy."""
    return _shared_code_of(source) if len(source) <= _LONGEST_SHARED_SOURCE else compile(source, "<projection>", "exec")


@lru_cache(maxsize=4096)
def _shared_code_of(source: str) -> CodeType:
    return compile(source, "<projection>", "exec")


def _irregular(parent: str, step: str, expected: str) -> str:
    return f"c.irregular(x, {parent}, path, {step}, {expected!r})"


def _condition(condition: Condition) -> str:
    variable = f"c.variables.get({condition.variable!r})"
    return variable if condition.include else f"not {variable}"

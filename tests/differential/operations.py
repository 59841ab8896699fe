"""Random operations over an API schema: aliases, fragments, variables, conditions."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_input_field,
)

INTROSPECTION = ("__schema {{ queryType {{ name }} }}", 'known: __type(name: "{}") {{ kind name fields {{ name }} }}')
# Names that requests to subgraphs use, which clients may take as aliases.
OUR_NAMES = ("_entities", "_entities_0", "representations", "_typename", "_id")
FIELDS = 45
DEPTH = 5


class OperationGenerator:
    """Writes one operation, and draws values for its variables."""

    def __init__(self, api_schema: GraphQLSchema, rng: random.Random) -> None:
        self._schema = api_schema
        self._rng = rng
        self._fields_left = FIELDS
        self._declared: dict[str, str] = {}
        self._fragments: list[str] = []
        self._aliases = 0
        self._ambiguous = _ambiguous_fields(api_schema)
        self._drawn: dict[str, Callable[[], Any]] = {}

    def write(self, kind: str) -> str:
        """The text of a query, mutation or subscription."""
        root = self._schema.type_map[kind.capitalize()]
        assert isinstance(root, GraphQLObjectType)
        body = self._event(root) if kind == "subscription" else self._selections(root, 0)
        if kind != "subscription" and self._rng.random() < 0.08:
            body = (
                body[:-1] + self._rng.choice(INTROSPECTION).format(self._rng.choice(list(self._schema.type_map))) + " }"
            )
        declared = ", ".join(f"${name}: {type_}" for name, type_ in self._declared.items())
        return "\n".join([f"{kind}{f'({declared})' if declared else ''} {body}", *self._fragments])

    def values(self) -> dict[str, Any]:
        """Values of the operation's variables, others each time; some are left out where they may be."""
        left_out = {
            n for n, t in self._declared.items() if (not t.endswith("!") or "=" in t) and self._rng.random() < 0.2
        }
        return {name: draw() for name, draw in self._drawn.items() if name not in left_out}

    def _event(self, root: GraphQLObjectType) -> str:
        """The one field that a subscription has, which may not be left out."""
        name, field = self._rng.choice(list(root.fields.items()))
        arguments = self._arguments(field)
        below = "" if is_leaf_type(get_named_type(field.type)) else self._selections(get_named_type(field.type), 1)
        return "{ " + f"{self._alias(root, name, arguments, 0)}{name}{arguments} {below}" + " }"

    def _selections(self, type_: GraphQLNamedType, depth: int) -> str:
        parts: list[str] = []
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            fields = list(type_.fields.items())
            self._rng.shuffle(fields)
            for name, field in fields[: self._rng.choice((1, 2, 3, 4, 6))]:
                parts += self._field(type_, name, field, depth)
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            parts += self._type_fragments(type_, depth)
        elif depth and self._rng.random() < 0.08:
            parts.append(self._fragment(type_, depth, self._condition()))
        if not parts or self._rng.random() < 0.15:
            parts.append(self._rng.choice(("__typename", "kind: __typename")))
        return "{ " + " ".join(parts) + " }"

    def _type_fragments(self, type_: GraphQLInterfaceType | GraphQLUnionType, depth: int) -> list[str]:
        if self._fields_left <= 0:
            return []
        possible = list(self._schema.get_possible_types(type_))
        self._rng.shuffle(possible)
        parts = [self._fragment(p, depth, self._condition()) for p in possible[: self._rng.choice((1, 2, 3))]]
        above = sorted({interface.name for p in possible for interface in p.interfaces})
        if above and self._rng.random() < 0.3:
            inner = self._schema.type_map[self._rng.choice(above)]
            parts.append(self._fragment(inner, depth, ""))
        return parts

    def _fragment(self, type_: GraphQLNamedType, depth: int, condition: str) -> str:
        body = self._selections(type_, depth)
        if self._rng.random() < 0.2:
            name = f"Part{len(self._fragments)}"
            self._fragments.append(f"fragment {name} on {type_.name} {body}")
            return f"...{name}{condition}"
        return f"... on {type_.name}{condition} {body}"

    def _field(
        self, owner: GraphQLObjectType | GraphQLInterfaceType, name: str, field: GraphQLField, depth: int
    ) -> list[str]:
        self._fields_left -= 1
        target = get_named_type(field.type)
        if not is_leaf_type(target) and (depth >= DEPTH or self._fields_left <= 0):
            return []
        arguments = self._arguments(field)
        text = f"{self._alias(owner, name, arguments, depth)}{name}{arguments}{self._condition()}"
        if is_leaf_type(target):
            return [text]
        texts = [f"{text} {self._selections(target, depth + 1)}"]
        if self._rng.random() < 0.06 and not arguments:
            texts.append(f"{text.partition(' @')[0]}{self._condition()} {self._selections(target, depth + 1)}")
        return texts

    def _alias(self, owner: GraphQLObjectType | GraphQLInterfaceType, name: str, arguments: str, depth: int) -> str:
        """Most often none; at times the name of another field, or one of ours, with which these must not collide."""
        chance = self._rng.random()
        if depth and 0.02 <= chance < 0.03 and not arguments and name not in self._ambiguous:
            return f"{self._rng.choice(OUR_NAMES)}: "
        if depth and chance > 0.96 and isinstance(owner, GraphQLObjectType):
            # The name of any other field of this type too, which objects of other types may have.
            return f"of_{_shape(owner.fields[name].type)}: "
        if name in self._ambiguous and not arguments and chance > 0.04:
            return f"{name}_{owner.name}: "
        if chance < 0.02 and not arguments:
            return f"{self._rng.choice(list(owner.fields))}: "
        if chance < 0.15 or arguments:
            self._aliases += 1
            return f"a{self._aliases}: "
        return ""

    def _condition(self) -> str:
        chance = self._rng.random()
        if chance > 0.08:
            return ""
        if chance > 0.07:
            return self._rng.choice((" @include(if: true)", " @skip(if: false)", " @skip(if: true)"))
        name = f"c{self._rng.randrange(3)}"
        self._declared[name] = "Boolean!"
        self._drawn.setdefault(name, lambda: self._rng.random() < 0.6)
        return f" @{self._rng.choice(('include', 'skip'))}(if: ${name})"

    def _arguments(self, field: GraphQLField) -> str:
        given = [
            f"{name}: {self._argument(argument.type)}"
            for name, argument in field.args.items()
            if isinstance(argument.type, GraphQLNonNull) or self._rng.random() < 0.4
        ]
        return f"({', '.join(given)})" if given else ""

    def _argument(self, type_: GraphQLInputType) -> str:
        chance = self._rng.random()
        if chance < 0.4:
            return self._variable(type_)
        return self._partly_literal(type_) if chance < 0.55 else _literal(self._value(type_), type_)

    def _variable(self, type_: GraphQLInputType) -> str:
        name = f"v{len(self._drawn)}"
        default = f" = {_literal(self._value(type_), type_)}" if self._rng.random() < 0.25 else ""
        self._declared[name] = f"{type_}{default}"
        self._drawn[name] = lambda: self._value(type_)
        return f"${name}"

    def _partly_literal(self, type_: GraphQLInputType) -> str:
        """A literal list or object that holds variables."""
        nullable = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(nullable, GraphQLList):
            item = nullable.of_type
            return f"[{_literal(self._value(item), item)}, {self._variable(item)}]"
        if isinstance(nullable, GraphQLInputObjectType):
            chosen = {
                n: f for n, f in nullable.fields.items() if is_required_input_field(f) or self._rng.random() < 0.5
            }
            parts = [f"{name}: {self._partly_literal(field.type)}" for name, field in chosen.items()]
            return "{" + ", ".join(parts) + "}"
        return self._variable(type_) if self._rng.random() < 0.5 else _literal(self._value(type_), type_)

    def _value(self, type_: GraphQLInputType, depth: int = 0) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self._sound_value(type_.of_type, depth)
        return None if depth > 2 or self._rng.random() < 0.06 else self._sound_value(type_, depth)

    def _sound_value(self, type_: GraphQLInputType, depth: int) -> Any:
        if isinstance(type_, GraphQLList):
            return [self._value(type_.of_type, depth) for _ in range(self._rng.randrange(3))]
        if isinstance(type_, GraphQLEnumType):
            return self._rng.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            fields = {
                name: field.type
                for name, field in type_.fields.items()
                if self._rng.random() < 0.5 or is_required_input_field(field)
            }
            return {name: self._value(field, depth + 1) for name, field in fields.items()}
        assert isinstance(type_, GraphQLScalarType)
        simple = {"Int": self._rng.randrange(4), "Boolean": self._rng.random() < 0.5, "Float": 1.5}
        return simple.get(type_.name, f"x{self._rng.randrange(3)}")


def _ambiguous_fields(schema: GraphQLSchema) -> set[str]:
    """Names of fields whose types differ from type to type, which may not stand side by side in fragments."""
    types: dict[str, set[str]] = {}
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                types.setdefault(name, set()).add(str(field.type))
    return {name for name, seen in types.items() if len(seen) > 1}


def _shape(type_: GraphQLOutputType) -> str:
    """The type as a part of a name."""
    return str(type_).translate({ord("["): "list_", ord("]"): None, ord("!"): "_sure"})


def _literal(value: Any, type_: GraphQLInputType) -> str:
    if value is None:
        return "null"
    if isinstance(type_, GraphQLNonNull):
        return _literal(value, type_.of_type)
    if isinstance(type_, GraphQLList):
        return f"[{', '.join(_literal(item, type_.of_type) for item in value)}]"
    if isinstance(type_, GraphQLInputObjectType):
        return (
            "{" + ", ".join(f"{name}: {_literal(item, type_.fields[name].type)}" for name, item in value.items()) + "}"
        )
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) and not isinstance(type_, GraphQLEnumType) else str(value)

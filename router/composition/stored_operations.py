"""The operations that clients are known to send: a folder of GraphQL documents -> what of the schema each uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    get_named_type,
    is_input_type,
    parse,
    validate,
    visit,
)
from graphql.utilities import separate_operations, type_from_ast

from router.errors import InputError

_CODE = "INVALID_OPERATIONS"
_SUFFIXES = (".graphql", ".gql")


@dataclass(frozen=True, slots=True)
class StoredOperation:
    """One operation with the fragments it needs; ``label`` is its file and name (``orders.graphql: Orders``)."""

    label: str
    document: DocumentNode

    def faults(self, schema: GraphQLSchema) -> list[str]:
        """Why ``schema`` does not answer it; empty where it does."""
        return [error.message for error in validate(schema, self.document)]

    def coordinates(self, schema: GraphQLSchema) -> frozenset[str]:
        """The schema coordinates it uses: ``T``, ``T.field``, ``T.field(arg:)``, ``Enum.VALUE``, ``@dir(arg:)``.

        A variable counts as using all that its type can hold, because its values are not stored.
        """
        types = TypeInfo(schema)
        used = _Used(types, schema)
        visit(self.document, TypeInfoVisitor(types, used))
        return frozenset(used.coordinates)


def load_operations(folder: Path) -> tuple[StoredOperation, ...]:
    """Read all ``*.graphql`` and ``*.gql`` below ``folder``, in the order of their paths.

    Raises InputError (``INVALID_OPERATIONS``) for what is no folder or no GraphQL document, with its place.
    """
    if not folder.is_dir():
        raise InputError(_CODE, f"{folder} is no folder; give the one that holds the clients' *.graphql files")
    files = sorted(file for file in folder.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    return tuple(operation for file in files for operation in _read(file, str(file.relative_to(folder))))


def _read(file: Path, label: str) -> Iterator[StoredOperation]:
    try:
        document = parse(file.read_text(encoding="utf-8"))
    except GraphQLSyntaxError as error:
        places = ", ".join(f"{file}:{at.line}:{at.column}" for at in error.locations or ())
        raise InputError(_CODE, f"{error.message} ({places})") from None
    except RecursionError:
        raise InputError(_CODE, f"{file} is nested too deeply to be read") from None
    except UnicodeDecodeError:
        raise InputError(_CODE, f"{file} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise InputError(_CODE, f"{file} cannot be read: {error.strerror}") from None
    for name, part in separate_operations(document).items():
        yield StoredOperation(f"{label}: {name or '(anonymous)'}", part)


class _Used(Visitor):
    """Collects coordinates on the way through a document."""

    def __init__(self, types: TypeInfo, schema: GraphQLSchema) -> None:
        super().__init__()
        self.types = types
        self.schema = schema
        self.coordinates: set[str] = set()
        self.directive: str | None = None

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent, result = self.types.get_parent_type(), self.types.get_type()
        if parent is not None:
            self.coordinates |= {parent.name, f"{parent.name}.{node.name.value}"}
        if result is not None:
            self.coordinates.add(get_named_type(result).name)

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        parent, field = self.types.get_parent_type(), self.types.get_field_def()
        if self.directive is not None:
            self.coordinates.add(f"@{self.directive}({node.name.value}:)")
        elif parent is not None and field is not None and self.types.get_argument() is not None:
            self.coordinates.add(f"{parent.name}.{self.field_name(parent.name, field)}({node.name.value}:)")
        self._add_input_name()

    def field_name(self, parent: str, definition: object) -> str:
        """TypeInfo knows the definition of a field and not its name."""
        fields = getattr(self.schema.type_map.get(parent), "fields", {})
        return next((name for name, field in fields.items() if field is definition), "")

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        self.directive = node.name.value
        self.coordinates.add(f"@{node.name.value}")

    def leave_directive(self, _node: DirectiveNode, *_: object) -> None:
        self.directive = None

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: object) -> None:
        if node.type_condition is not None:
            self.coordinates.add(node.type_condition.name.value)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> None:
        self.coordinates.add(node.type_condition.name.value)

    def enter_object_field(self, node: ObjectFieldNode, *_: object) -> None:
        parent = self.types.get_parent_input_type()
        if parent is not None:
            name = get_named_type(parent).name
            self.coordinates |= {name, f"{name}.{node.name.value}"}
        self._add_input_name()

    def enter_enum_value(self, node: EnumValueNode, *_: object) -> None:
        enum = self.types.get_input_type()
        if enum is not None:
            self.coordinates.add(f"{get_named_type(enum).name}.{node.value}")

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: object) -> None:
        variable = type_from_ast(self.schema, node.type)
        if variable is not None and is_input_type(variable):
            self._add_all_of(variable)

    def _add_input_name(self) -> None:
        value = self.types.get_input_type()
        if value is not None:
            self.coordinates.add(get_named_type(value).name)

    def _add_all_of(self, variable: GraphQLInputType) -> None:
        pending, seen = [get_named_type(variable)], set[str]()
        while pending:
            named = pending.pop()
            if named.name in seen:
                continue
            seen.add(named.name)
            self.coordinates.add(named.name)
            if isinstance(named, GraphQLEnumType):
                self.coordinates |= {f"{named.name}.{value}" for value in named.values}
            elif isinstance(named, GraphQLInputObjectType):
                self.coordinates |= {f"{named.name}.{field}" for field in named.fields}
                pending.extend(get_named_type(field.type) for field in named.fields.values())

"""A plan in few lines, without the values that whoever sent the operation has written into it."""

from __future__ import annotations

from graphql import (
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ObjectValueNode,
    StringValueNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from router.planning.query_plan import QueryPlan

_HIDDEN = EnumValueNode(value="…")


class _WithoutValues(Visitor):
    """Leaves names and numbers of nothing but the schema's: a literal may be anyone's data."""

    def enter_string_value(self, node: StringValueNode, *_: object) -> EnumValueNode:
        return _HIDDEN

    def enter_int_value(self, node: IntValueNode, *_: object) -> EnumValueNode:
        return _HIDDEN

    def enter_float_value(self, node: FloatValueNode, *_: object) -> EnumValueNode:
        return _HIDDEN

    def enter_object_value(self, node: ObjectValueNode, *_: object) -> EnumValueNode:
        return _HIDDEN


def outline_plan(plan: QueryPlan) -> str:
    """Each fetch with what it waits for and its document, such as ``#1 stock, after #0``."""
    return "\n\n".join(
        f"#{fetch.id} {fetch.subgraph}{_after(fetch.depends_on)}\n{_document(fetch.document)}" for fetch in plan.fetches
    )


def _after(depends_on: tuple[int, ...]) -> str:
    return f", after {' and '.join(f'#{number}' for number in depends_on)}" if depends_on else ""


def _document(text: str) -> str:
    return print_ast(visit(parse(text, no_location=True), _WithoutValues()))

"""Operations lose their fragments, duplicates and constant conditions, and keep the client's order."""

from __future__ import annotations

import time

import pytest
from graphql import GraphQLSchema

from router.errors import OperationError
from router.operation import OperationLimits, build_operation, parse_document
from router.operation.model import Condition, Field, Selection


def show(selections: tuple[Selection, ...]) -> str:
    return " ".join(show_one(selection) for selection in selections)


def show_one(selection: Selection) -> str:
    conditions = "".join(show_condition(condition) for condition in selection.conditions)
    if not isinstance(selection, Field):
        return f"...{selection.type_condition}{conditions} {{ {show(selection.selections)} }}"
    alias = "" if selection.response_key == selection.name else f"{selection.response_key}:"
    below = f" {{ {show(selection.selections)} }}" if selection.selections else ""
    return f"{alias}{selection.name}{conditions}{below}"


def show_condition(condition: Condition) -> str:
    return f"@{'' if condition.include else '!'}{condition.variable}"


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("{ ...F user { id } } fragment F on Query { user { name } }", "user { name id }"),
        ("{ user { id ... on Node { id } ... on User { name } } }", "user { id name }"),
        (
            "{ node { ... on Node { id } ... on Named { ... on User { name } } } }",
            "node { id ...Named { ...User { name } } }",
        ),
        (
            "{ things { ... on User { id } ... on Shop { id } ... on User { name } } }",
            "things { ...User { id name } ...Shop { id } }",
        ),
        (
            "{ things { ... on User { id } } things { __typename ... on User { id name } } }",
            "things { ...User { id } __typename ...User { name } }",
        ),
        ("{ user { id @include(if: false) name @skip(if: false) } }", "user { name }"),
        ("query ($a: Boolean!) { user { id @include(if: $a) id } }", "user { id@a id }"),
        ("query ($a: Boolean!) { user { id id @include(if: $a) } }", "user { id }"),
        ("query ($a: Boolean!) { user { id } user @include(if: $a) { name } }", "user { id name@a }"),
        (
            "query ($a: Boolean!) { user { id ... @skip(if: $a) { name friend { id } } } }",
            "user { id name@!a friend@!a { id } }",
        ),
        ("query ($a: Boolean!) { user { ... @skip(if: $a) { name @include(if: $a) } } }", "user"),
        ("{ one: user { id } two: user { id } }", "one:user { id } two:user { id }"),
        ("{ __typename __schema { queryType { name } } }", "__typename __schema { queryType { name } }"),
    ],
)
def test_selections_are_normalised(schema: GraphQLSchema, text: str, normalised: str) -> None:
    assert show(build_operation(schema, parse_document(text)).selections) == normalised


def test_fragments_that_spread_each_other_twice_do_not_double(schema: GraphQLSchema) -> None:
    levels = " ".join(
        f"fragment F{n} on User {{ friend {{ ...F{n + 1} }} ... on User {{ friend {{ ...F{n + 1} }} }} }}"
        for n in range(40)
    )
    operation = build_operation(
        schema, parse_document(f"{{ user {{ ...F0 }} }} {levels} fragment F40 on User {{ id }}")
    )

    assert show(operation.selections).count("friend") == 40


def test_operation_that_grows_too_large_is_refused(schema: GraphQLSchema) -> None:
    levels = " ".join(
        f"fragment F{n} on User {{ a: friend {{ ...F{n + 1} }} b: friend {{ ...F{n + 1} }} }}" for n in range(12)
    )
    document = parse_document(f"{{ user {{ ...F0 }} }} {levels} fragment F12 on User {{ id }}")

    with pytest.raises(OperationError) as caught:
        build_operation(schema, document, limits=OperationLimits(max_fields=1000))

    assert caught.value.code == "OPERATION_TOO_LARGE"
    assert caught.value.message == "The operation selects more than 1000 fields: ask for less at once."


SPREAD_APART = {
    "conditions that add up": (
        "fragment F{n} on User {{ ...F{m} @include(if: $a{n}) ...F{m} @include(if: $b{n}) }}",
        "fragment F30 on User { id }",
    ),
    "conditions on types in turn": (
        "fragment F{n} on Node {{ ...G{n} @include(if: $a{n}) ...H{n} @include(if: $b{n}) }} "
        "fragment G{n} on Thing {{ ...F{m} }} fragment H{n} on Thing {{ ...F{m} }}",
        "fragment F30 on Node { id }",
    ),
}


@pytest.mark.parametrize(("level", "last"), SPREAD_APART.values(), ids=SPREAD_APART)
def test_fragments_under_conditions_that_double_at_each_level_are_refused_before_they_are_read(
    schema: GraphQLSchema, level: str, last: str
) -> None:
    """Thirty levels, which come to one field under a thousand million conditions, in 3 kB."""
    variables = " ".join(f"$a{n}: Boolean! $b{n}: Boolean!" for n in range(30))
    levels = " ".join(level.format(n=n, m=n + 1) for n in range(30))
    document = parse_document(f"query ({variables}) {{ user {{ id ...F0 }} }} {levels} {last}")
    started = time.process_time()

    with pytest.raises(OperationError) as caught:
        build_operation(schema, document)

    assert time.process_time() - started < 10
    assert caught.value.code == "OPERATION_TOO_LARGE"
    assert (
        caught.value.message == "The operation spreads its fragments under too many conditions: select each field once."
    )


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (
            "query A { big } query B { big }",
            None,
            "The document has several operations: say which one with operationName.",
        ),
        ("query A { big }", "C", 'The document has no operation named "C".'),
        ("fragment F on Query { big }", None, "Fragment 'F' is never used."),
    ],
)
def test_operation_that_cannot_be_chosen_is_refused(
    schema: GraphQLSchema, text: str, name: str | None, message: str
) -> None:
    with pytest.raises(OperationError) as caught:
        build_operation(schema, parse_document(text), name)

    assert caught.value.message == message


def test_every_violated_rule_is_told_with_its_place(schema: GraphQLSchema) -> None:
    with pytest.raises(OperationError) as caught:
        build_operation(schema, parse_document("{ user { nme } zzz }"))

    assert caught.value.code == "GRAPHQL_VALIDATION_FAILED"
    assert [(error.message, error.locations, error.extensions) for error in caught.value.errors] == [
        (
            "Cannot query field 'nme' on type 'User'. Did you mean 'name'?",
            [(1, 10)],
            {"code": "GRAPHQL_VALIDATION_FAILED"},
        ),
        ("Cannot query field 'zzz' on type 'Query'.", [(1, 16)], {"code": "GRAPHQL_VALIDATION_FAILED"}),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ user", "Syntax Error: Expected Name, found <EOF>."),
        ("{ user { } }", "Syntax Error: Expected Name, found '}'."),
        ("{ " + "big " * 20_000, "Syntax Error: Document contains more than 15000 tokens. Parsing aborted."),
    ],
)
def test_text_that_does_not_parse_is_refused(text: str, message: str) -> None:
    with pytest.raises(OperationError) as caught:
        parse_document(text)

    assert (caught.value.code, caught.value.message) == ("GRAPHQL_PARSE_FAILED", message)


def test_document_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(OperationError) as caught:
        parse_document("{ user " + "{ friend " * 5000 + "{ id }" + "}" * 5001)

    assert caught.value.code == "GRAPHQL_PARSE_FAILED"

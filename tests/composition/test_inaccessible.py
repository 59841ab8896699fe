"""What clients see makes sense without what is hidden from them; codes and verdicts are the reference composer's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router import Composition

ENUM = "enum E { A @inaccessible  B }"


@pytest.mark.parametrize(
    ("sdl", "code", "message"),
    [
        (
            "type Query { f(x: Int! @inaccessible): Int }",
            "REQUIRED_INACCESSIBLE",
            '"Query.f(x:)" is @inaccessible, but clients would have to give it, as it is required',
        ),
        (
            "type Query { i: I } interface I { f(x: Int): Int } type T implements I { f(x: Int @inaccessible): Int }",
            "IMPLEMENTED_BY_INACCESSIBLE",
            '"T.f(x:)" is @inaccessible, but clients see it on "I"',
        ),
        (
            "type Query { i: I } interface I { f: Int  g: Int } type T implements I { f: Int @inaccessible  g: Int }",
            "IMPLEMENTED_BY_INACCESSIBLE",
            '"T.f" is @inaccessible, but implements "I.f", which clients see',
        ),
        *(
            (
                f"type Query {{ f(x: {type_} = {default}): Int }} input I {{ js: [J!]  n: Int @inaccessible }} "
                f"input J {{ e: E }} {ENUM}",
                "DEFAULT_VALUE_USES_INACCESSIBLE",
                f'"{used}" is @inaccessible, but the default value of "Query.f(x:)", which clients see, uses it',
            )
            for type_, default, used in (
                ("E", "A", "E.A"),
                ("[E!]!", "[B, A]", "E.A"),
                ("[E]", "A", "E.A"),
                ("I", "{n: 1}", "I.n"),
                ("I", "{js: [{e: B}, {e: A}]}", "E.A"),
            )
        ),
        (
            f"directive @d(e: E = A) on FIELD type Query {{ f: E }} {ENUM}",
            "DEFAULT_VALUE_USES_INACCESSIBLE",
            '"E.A" is @inaccessible, but the default value of "@d(e:)", which clients see, uses it',
        ),
        (
            "directive @d(i: I) on FIELD type Query { f: Int } input I @inaccessible { n: Int }",
            "REFERENCED_INACCESSIBLE",
            '"I" is @inaccessible, but "@d(i:)", which clients see, is of this type',
        ),
        (
            "directive @d(n: Int! @inaccessible) on FIELD type Query { f: Int }",
            "REQUIRED_INACCESSIBLE",
            '"@d(n:)" is @inaccessible, but clients would have to give it, as it is required',
        ),
        (f"directive @d(e: E = A @inaccessible) on FIELD type Query {{ f: E }} {ENUM}", None, ""),
        (f"directive @d(e: E = A) on OBJECT type Query {{ f: E }} {ENUM}", None, ""),
    ],
)
def test_what_is_seen_needs_nothing_that_is_hidden(
    sdl: str, code: str | None, message: str, compose_sdl: Callable[..., Composition]
) -> None:
    composition = compose_sdl(a=sdl)

    assert [(str(error.code), error.message) for error in composition.errors] == ([(code, message)] if code else [])


def test_what_is_wrong_with_a_directive_is_told_where_it_is_defined(compose_sdl: Callable[..., Composition]) -> None:
    sdl = "type Query { f: Int }\n directive @d(n: Int! @inaccessible) on FIELD"
    composition = compose_sdl(a=sdl, b=sdl.replace("f: Int", "g: Int"))

    assert [(one.subgraph, one.line, one.column) for one in composition.errors[0].locations] == [
        ("a", 3, 2),
        ("b", 3, 2),
    ]

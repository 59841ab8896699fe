"""Each code has a page, and the example of each page composes to the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from router import Subgraph, compose
from router.commands.explain import command
from router.composition.pages import codes, find_page
from router.errors import InputError
from router.federation.hint_codes import HintCode

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(r"`(\w+)`:\n\n```graphql\n(.*?)\n```", re.DOTALL)
NEVER_GIVEN = {
    "DISALLOWED_INACCESSIBLE",
    "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED",
    "UNKNOWN_LINK_VERSION",
    "UNSUPPORTED_LINKED_FEATURE",
}
ACCOMPANIED = {
    "EXTERNAL_ON_INTERFACE": {"EXTERNAL_UNUSED"},
    "REQUIRES_UNSUPPORTED_ON_INTERFACE": {"REQUIRES_FIELDS_MISSING_EXTERNAL"},
}
"""Where the mistake of the example is two mistakes by the rules."""


def example(code: str) -> list[Subgraph]:
    page = find_page(code)
    assert page is not None
    return [Subgraph(name, f"http://{name}", sdl) for name, sdl in EXAMPLE.findall(page.text)]


@pytest.mark.parametrize("code", codes())
def test_the_page_tells_meaning_and_mend(code: str) -> None:
    page = find_page(code)
    assert page is not None
    assert re.fullmatch(rf"# {code}\n\n.+\n\n## Example\n\n.+\n\n## What to do\n\n.+\n", page.text, re.DOTALL)
    assert page.mend.endswith(".")


@pytest.mark.parametrize("code", sorted({*codes()} - NEVER_GIVEN))
def test_the_example_gives_the_code(code: str) -> None:
    composition = compose(example(code))
    if composition.errors:
        assert {str(error.code) for error in composition.errors} == {code} | ACCOMPANIED.get(code, set())
    else:
        assert code in HintCode.__members__
        assert code in {str(hint.code) for hint in composition.hints}


@pytest.mark.parametrize("code", sorted(NEVER_GIVEN))
def test_a_code_that_is_never_given_says_so(code: str) -> None:
    page = find_page(code)
    assert page is not None
    assert "Galleria never gives this code" in page.text
    assert not any(f"ErrorCode.{code}" in file.read_text() for file in (ROOT / "router").glob("c*/**/*.py"))


def test_there_is_no_page_without_a_code() -> None:
    pages = {file.stem for file in (ROOT / "docs" / "errors").glob("*.md")}
    assert pages == set(codes())


def test_explain_prints_the_page_and_ignores_case() -> None:
    result = CliRunner().invoke(command, ["no_queries"])
    page = find_page("NO_QUERIES")
    assert page is not None
    assert (result.exit_code, result.stdout) == (0, page.text)


def test_explain_without_a_code_lists_them() -> None:
    assert CliRunner().invoke(command).stdout.split() == list(codes())


def test_an_unknown_code_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match=r"NO_QUERY is no code of composition; did you mean NO_QUERIES"):
        CliRunner().invoke(command, ["NO_QUERY"], catch_exceptions=False)


def test_a_code_of_something_else_is_told_where_that_is_explained() -> None:
    with pytest.raises(InputError, match=r"router's answers, and of this command, are in docs/error-codes\.md"):
        CliRunner().invoke(command, ["INVALID_SUBGRAPHS_FILE"], catch_exceptions=False)

"""Mutated SDL of the shop's own services: composition answers, and never raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router import CompositionError, CompositionHint, Subgraph, compose
from router.composition.excerpt import render_finding

ROOT = Path(__file__).parents[2]
BLOCKS = tuple(
    block
    for file in sorted((ROOT / "subgraphs").glob("*/schema.graphql"))
    for block in file.read_text().split("\n\n")
    if len(block) < 500
)
HEAD = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", '
    '"@provides", "@shareable", "@override", "@inaccessible", "@tag", "@interfaceObject", "@context", "@fromContext", '
    '"@cost", "@listSize", "@authenticated", "@composeDirective"])\n'
)
TOKENS = re.compile(r'"""[\s\S]*?"""|"[^"\n]*"|@?\w+|[^\s\w]')
WORDS = (
    *("type", "interface", "union", "enum", "input", "scalar", "extend", "implements", "schema", "directive", "on"),
    *("@external", "@shareable", '@key(fields: "id")', '@key(fields: "id { id }")', '@requires(fields: "id")'),
    *('@override(from: "b")', '@override(from: "b", label: "percent(5)")', "@inaccessible", "@interfaceObject"),
    *('@provides(fields: "id")', '@tag(name: "x")', '@context(name: "c")', '@fromContext(field: "$c { id }")'),
    *("@cost(weight: 1)", '@listSize(slicingArguments: ["first"])', "@authenticated", "@deprecated(reason: null)"),
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "!",
        "=",
        ":",
        "|",
        "&",
        '"',
        "null",
        "-1",
        "1e999",
        "$x",
        "é",
        "\u0000",
        "...",
        "#",
    ),
    *("Query", "Mutation", "Product", "Order", "ID", "_Any", "_entities", "join__Graph", "__typename"),
)


def mutate(tokens: list[str], edits: Sequence[tuple[int, int, str]]) -> str:
    for where, how, word in edits:
        at = where % (len(tokens) + 1)
        if how == 0:
            tokens.insert(at, word)
        elif how == 1:
            tokens[at : at + 1] = [word]
        elif how == 2:
            del tokens[at : at + 1 + where % 3]
        else:
            tokens[at:at] = tokens[at // 2 : at // 2 + 8]
    return " ".join(tokens)


sdls = st.builds(
    lambda head, blocks, edits: head + mutate(TOKENS.findall("\n".join(blocks)), edits),
    st.sampled_from((HEAD, HEAD.replace("v2.9", "v2.3"), "")),
    st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=2),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 3), st.sampled_from(WORDS)), max_size=3),
)


WHOLE = tuple(file.read_text() for file in sorted((ROOT / "subgraphs").glob("*/schema.graphql")))
SCHEMA = re.compile(r"^schema .*@link.*\{\n[^}]*\}", re.MULTILINE)
NAME = re.compile(r"\b[A-Z]\w+\b")
NAMES = tuple(sorted(set(NAME.findall("\n".join(WHOLE)))))
DIRECTIVES = tuple(word for word in WORDS if re.match(r"@\w", word))


def mutate_lines(sdl: str, edits: Sequence[tuple[int, int, str, str]]) -> str:
    """Edits that mostly leave SDL which parses, so that the later stages get something to do.

    A line is a member or the head of a type: it is deleted, doubled elsewhere, given a directive, or other types.
    """
    lines = [HEAD, *SCHEMA.sub("", sdl).split("\n")]
    for where, how, directive, name in edits:
        members = [number for number, line in enumerate(lines) if re.match(r"  \w+[(:]|  [A-Z_]+$", line)]
        heads = [number for number, line in enumerate(lines) if re.match(r"(type|interface|input|enum|union) ", line)]
        at = members[where % len(members)] if members else 0
        head = heads[where % len(heads)] if heads else 0
        if how == 0:
            del lines[at]
        elif how == 1:
            lines.insert(members[where // 2 % len(members)] if members else at, lines[at])
        elif how == 2:
            lines[at] = f"{lines[at]} {directive}"
        elif how == 3:
            lines[at] = NAME.sub(name, lines[at], count=1)
        elif how == 4:
            lines[head] = lines[head].replace(" {", f" {directive} {{")
        elif how == 5:
            lines[head] = re.sub(r"^\w+", ("type", "interface", "input")[where % 3], lines[head])
        else:
            lines[head] = NAME.sub(name, lines[head], count=1)
    return "\n".join(lines)


parsing_sdls = st.builds(
    mutate_lines,
    st.sampled_from(WHOLE),
    st.lists(
        st.tuples(st.integers(0, 4000), st.integers(0, 6), st.sampled_from(DIRECTIVES), st.sampled_from(NAMES)),
        max_size=2,
    ),
)


@pytest.mark.timeout(300)
@settings(max_examples=2000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(sdls, min_size=1, max_size=2))
def test_composition_never_raises(texts: list[str]) -> None:
    compose_and_render(texts)


@pytest.mark.timeout(300)
@settings(max_examples=1000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(parsing_sdls, min_size=1, max_size=2))
def test_no_later_stage_raises(texts: list[str]) -> None:
    compose_and_render(texts)


def compose_and_render(texts: Sequence[str]) -> None:
    subgraphs = [Subgraph(name, f"http://{name}", sdl) for name, sdl in zip("ab", texts, strict=False)]
    composition = compose(subgraphs)
    assert (composition.supergraph_sdl is None) == bool(composition.errors)
    sources = {subgraph.name: subgraph.sdl for subgraph in subgraphs}
    findings: list[CompositionError | CompositionHint] = [*composition.errors, *composition.hints]
    for finding in findings:
        assert render_finding(finding, sources).startswith(str(finding.code))

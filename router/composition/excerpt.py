"""Errors and hints as a compiler prints them: the message, the lines of SDL with carets, and how to mend it.

::

    INVALID_GRAPHQL: [a] The type "Nope" of "Query.x" is not defined (a.graphql:2:3)
      --> a.graphql:2:3, subgraph "a"
       |
     2 |   x: Nope
       |   ^
       = help: Define the type ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from router.composition.errors import CompositionError, SourceLocation
from router.composition.hints import CompositionHint
from router.composition.pages import find_page

_WORD = re.compile(r"@?\w+")
_LINE_WIDTH = 160
_PLACES_SHOWN = 6


def render_finding(finding: CompositionError | CompositionHint, sources: Mapping[str, str]) -> str:
    """The report of an error or hint; its first line is ``str(finding)``.

    ``sources`` are texts by the file that locations name; a place whose text is not among them has no excerpt.
    """
    lines = [str(finding)]
    for location in finding.locations[:_PLACES_SHOWN]:
        lines.extend(_excerpt(location, sources.get(location.file, "").splitlines()))
    if len(finding.locations) > _PLACES_SHOWN:
        lines.append(f"  ... and {len(finding.locations) - _PLACES_SHOWN} more places")
    page = find_page(str(finding.code))
    if page is not None:
        lines.append(f"   = help: {page.mend} (galleria explain {finding.code})")
    return "\n".join(lines)


def _excerpt(location: SourceLocation, source: Sequence[str]) -> Iterator[str]:
    yield f'  --> {location}, subgraph "{location.subgraph}"'
    if not 1 <= location.line <= len(source):
        return
    text = source[location.line - 1].replace("\t", " ")
    start = max(0, location.column - 1 - _LINE_WIDTH // 2)
    number = str(location.line)
    margin = " " * len(number)
    word = _WORD.match(text, location.column - 1)
    carets = "^" * (len(word[0]) if word else 1)
    yield f" {margin} |"
    yield f" {number} | {text[start : start + _LINE_WIDTH]}".rstrip()
    yield f" {margin} | {' ' * (location.column - 1 - start)}{carets}"

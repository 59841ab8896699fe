"""The phrases that messages of composition share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

_LONGEST_QUOTATION = 500


def human_list(words: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def quoted(names: Iterable[str]) -> str:
    """``"a", "b" and "c"``."""
    return human_list([f'"{name}"' for name in names])


def subgraphs_named(names: Sequence[str]) -> str:
    """``subgraph "a"``, or ``subgraphs "a" and "b"``."""
    return f"subgraph{'s' if len(names) > 1 else ''} {quoted(names)}"


def variants(by_text: Mapping[str, Sequence[str]]) -> str:
    """``"Int" in subgraph "a" but "String" in subgraph "b"`` from texts and the subgraphs that have each."""
    return " but ".join(f'"{text}" in {subgraphs_named(names)}' for text, names in by_text.items())


def shorten(text: str) -> str:
    """A quotation of which a reader still sees what it is; what is longer ends in ``...``."""
    return text if len(text) <= _LONGEST_QUOTATION else f"{text[:_LONGEST_QUOTATION]}..."

"""One description for an element that several subgraphs describe."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from graphql import Node

from router.composition.merge.context import MergeContext, Sources
from router.federation.hint_codes import HintCode


class Described(Protocol):
    """An element with a description and a place."""

    @property
    def description(self) -> str | None:
        """The text, or None."""

    @property
    def node(self) -> Node | None:
        """The place."""


def merge_description(context: MergeContext, coordinate: str | None, sources: Sources[Described]) -> str | None:
    """The most frequent non-empty description, the first of equals; a hint tells where others differ."""
    texts = {index: element.description for index, element in sources.items() if element.description}
    if not texts:
        return next((element.description for element in sources.values() if element.description is not None), None)
    counts = Counter(texts.values())
    if len(counts) == 1:
        return next(iter(counts))
    chosen = counts.most_common(1)[0][0]
    holders = [index for index, text in texts.items() if text == chosen]
    others = [index for index, text in texts.items() if text != chosen]
    message = (
        f"{_subject(coordinate)} is described differently in {context.named(others)}; "
        f"the supergraph uses the description of {context.named(holders)}"
    )
    context.hint(HintCode.INCONSISTENT_DESCRIPTION, message, sources, coordinate)
    return chosen


def _subject(coordinate: str | None) -> str:
    return f'"{coordinate}"' if coordinate else "The schema"

"""The pages that explain error and hint codes: ``docs/errors/CODE.md``, part of the package once it is installed.

A page has the code as its title, what it means, ``## Example`` with SDL, and ``## What to do``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode

_INSTALLED = Path(__file__).with_name("error_pages")
_CHECKOUT = Path(__file__).parents[2] / "docs" / "errors"
_MEND = "\n## What to do\n"


@dataclass(frozen=True, slots=True)
class Page:
    """What is known about a code; ``mend`` is the first paragraph of what to do, ``text`` the whole page (Markdown)."""

    code: str
    mend: str
    text: str


def codes() -> tuple[str, ...]:
    """All codes of errors and hints, sorted."""
    return tuple(sorted({*map(str, ErrorCode), *map(str, HintCode)}))


@cache
def find_page(code: str) -> Page | None:
    """The page of ``code``; None where there is no such code."""
    if code not in codes():
        return None
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    file = folder / f"{code}.md"
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8")
    mend = text.partition(_MEND)[2].strip().split("\n\n")[0]
    return Page(code, " ".join(mend.split()), text)

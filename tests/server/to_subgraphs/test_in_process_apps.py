"""Subgraphs in the router's own process: what is told where the settings name one that cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

import router
from router.errors import InputError
from tests.server.shop import SUPERGRAPH

FAILING = "raise RuntimeError('no database')"
WRONG = "def ("


@pytest.mark.parametrize(
    ("module", "text", "reason"),
    [
        (
            "shop_that_nobody_has",
            None,
            "ModuleNotFoundError: No module named 'shop_that_nobody_has'; "
            "PYTHONPATH must name the folder that it is in",
        ),
        ("shop_that_fails", FAILING, "RuntimeError: no database"),
        ("shop_that_is_wrong", WRONG, "SyntaxError: invalid syntax (shop_that_is_wrong.py, line 1)"),
        ("shop_of_others", "import nobodys", "ModuleNotFoundError: No module named 'nobodys'"),
        ("shop_without_app", "", "AttributeError: module 'shop_without_app' has no attribute 'app'"),
    ],
)
def test_an_app_that_cannot_be_loaded_is_told_with_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str | None, reason: str
) -> None:
    if text is not None:
        (tmp_path / f"{module}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError) as caught:
        router.Router(SUPERGRAPH, {"subgraphs": {"apps": {"stock": f"{module}:app"}}})
    assert caught.value.code == "INVALID_CONFIG"
    assert caught.value.message == f"subgraphs.apps.stock: {module}:app cannot be loaded: {reason}"

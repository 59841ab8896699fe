"""The ``galleria`` command itself: what it says where there is no such verb."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from router.commands.main import galleria


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["compos", "supergraph.yaml"], "Error: No such command 'compos'; did you mean 'compose'?\n"),
        (["zzz"], "Error: No such command 'zzz'.\n"),
        (["--compose"], "Error: No such option '--compose'.\n"),
    ],
)
def test_a_verb_that_is_none_is_told_with_the_nearest(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(galleria, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(told)

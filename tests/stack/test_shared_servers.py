"""Tests that share a mall are run by one worker: its group is in their ids, by which pytest-xdist deals them out."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("one-worker")
def test_the_group_of_a_test_is_known_where_workers_share_the_tests(request: pytest.FixtureRequest) -> None:
    among_workers = hasattr(request.config, "workerinput")
    assert request.node.nodeid.endswith("@one-worker") == among_workers

"""One mall for all end-to-end tests of a worker; those that close or break it open their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mall import RunningMall, running_mall


@pytest.fixture(scope="session")
def mall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMall]:
    with running_mall(tmp_path_factory.mktemp("mall")) as mall:
        yield mall

"""The router that all attacks of a worker share, so that its memory is that of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.security.attacks.target import (
    MAX_RESIDENT_BYTES,
    Everyone,
    Target,
    public_settings,
    running_target,
)
from tests.server.access.issuer import IssuerNow

LONGEST_WAIT_S = 5.0


@pytest.fixture(scope="session")
def shared_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The router of all attacks."""
    folder, issuer = tmp_path_factory.mktemp("target"), IssuerNow()
    jwks = folder / "jwks.json"
    jwks.write_bytes(issuer.jwks())
    with running_target(folder, public_settings(jwks), issuer) as target:
        yield target


@pytest.fixture
def target(shared_target: Target) -> Iterator[Target]:
    """The router under attack: everyone else is answered all the while, and its memory stays what it may be."""
    everyone = shared_target.everyone = Everyone(shared_target)
    with everyone.asking():
        yield shared_target
    assert shared_target.process.poll() is None
    assert everyone.wrong == []
    assert max(everyone.waits_s, default=0.0) < LONGEST_WAIT_S
    assert shared_target.resident_bytes() < MAX_RESIDENT_BYTES
    assert "Traceback" not in shared_target.log.read_text()

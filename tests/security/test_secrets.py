"""Secrets are planted wherever a request, a subgraph or the settings can hold one, and looked for in what is written.

The one place that may have one is an error of a subgraph in the log, under the id that the client got in its place.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.security.attacks.subgraphs import INNER
from tests.security.attacks.target import Target, public_settings, running_target
from tests.server.access.issuer import IssuerNow

pytestmark = pytest.mark.xdist_group("secrets")

SETTING = "setting-7f3a91-of-the-environment"
SECRETS = {
    "a setting": SETTING,
    "a variable": "password-1c2b3a-of-ada",
    "a literal": "literal-9d8e7f-of-ada",
    "a header": "header-5a4b3c-of-ada",
    "a cookie": "cookie-2f1e0d-of-ada",
    "a claim": "claim-8b7c6d-of-ada",
    "a broken token": "token-4e5f6a-of-ada",
    "a form": "form-3c4d5e-of-ada",
    "a URL": "url-6d7e8f-of-ada",
}


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """A router with everything on that writes."""
    monkeypatch.setenv("GALLERIA_TEST_SECRET", SETTING)
    issuer, jwks = IssuerNow(), tmp_path / "jwks.json"
    jwks.write_bytes(issuer.jwks())
    settings = public_settings(jwks)
    settings["headers"] = {"set": {"x-router-key": "${GALLERIA_TEST_SECRET}"}}
    settings["telemetry"] = {"trace_context": True, "access_log": True, "metrics": {"operations": True}}
    settings["environment"] = "development"
    settings["errors"] = {"mask": True}
    with running_target(tmp_path, settings, issuer) as target:
        yield target


def ask_with_secrets(target: Target) -> list[str]:
    """Everything that was answered, but for what the client itself asked to be told."""
    login = 'mutation Login($p: String!) { login(name: "ada", password: $p) }'
    literal = f'mutation {{ login(name: "ada", password: "{SECRETS["a literal"]}") }}'
    token = target.token(sub="ada", email=SECRETS["a claim"])
    headers = {
        "authorization": f"Bearer {token}",
        "x-secret": SECRETS["a header"],
        "cookie": f"other={SECRETS['a cookie']}",
    }
    preflight = {"apollo-require-preflight": "1"}
    answers = [
        target.post({"query": login, "variables": {"p": SECRETS["a variable"]}}, headers=headers),
        target.post({"query": literal}, headers=headers),
        target.post({"query": "{ broken }"}, headers=headers),
        target.post({"query": "{ me { name } }"}, headers={"authorization": f"Bearer {SECRETS['a broken token']}"}),
        target.post({"query": "{ me { name } }"}, headers={"cookie": f"session={SECRETS['a cookie']}"}),
        target.post(data={"operations": SECRETS["a form"], "map": "{}"}, files={"0": b"x"}, headers=preflight),
        target.post({"query": login, "variables": {"p": 7}}, headers=headers),
        httpx.get(f"{target.url}?query={{__typename}}&x={SECRETS['a URL']}", headers=preflight, trust_env=False),
        httpx.get(f"{target.url}/{SECRETS['a header'][:6]}", headers=headers, trust_env=False),
    ]
    return [answer.text + str(answer.headers) for answer in answers]


def written(target: Target) -> dict[str, str]:
    """What can be read of the router by those who run it."""
    base = target.url.removesuffix("/graphql")
    pages = {
        path: httpx.get(base + path, trust_env=False).text for path in ("/metrics", "/status", "/status.json", "/")
    }
    config = httpx.get(base + "/explorer/config.json", trust_env=False).text
    plan = httpx.post(base + "/plan", json={"query": "{ products { id } }"}, trust_env=False).text
    return {"log": target.log.read_text(), "plan": plan, "explorer": config, **pages}


def test_no_secret_is_written_anywhere(target: Target) -> None:
    answers = ask_with_secrets(target)
    places = {**written(target), **{f"answer {number}": text for number, text in enumerate(answers)}}
    assert '"status":200' in places["log"]
    assert "galleria_requests_total" in places["/metrics"]
    found = [(name, place) for name, secret in SECRETS.items() for place, text in places.items() if secret in text]
    assert found == []
    assert [place for place, text in places.items() if INNER in text] == ["log"]
    key = json.loads(target.issuer.jwks())["keys"][0]["x"]
    token = target.token(sub="ada").split(".")[0]
    assert [place for place, text in places.items() if key in text or token in text] == []


def test_the_secrets_reach_whom_they_are_for(target: Target) -> None:
    told = target.post({"query": "{ headers }"}).json()["data"]["headers"]
    assert f"x-router-key: {SETTING}" in told


def test_a_setting_that_is_wrong_is_told_without_its_value(target: Target, tmp_path: Path) -> None:
    target.assert_answers()  # it serves, and so takes signals
    config = tmp_path / "router.yaml"
    settings = json.loads(config.read_text())
    settings["graphql"] = {"timeout_s": "${GALLERIA_TEST_SECRET}"}
    config.write_text(json.dumps(settings))
    target.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while "INVALID_CONFIG" not in target.log.read_text() and time.monotonic() < deadline:
        target.assert_answers()
    log = target.log.read_text()
    assert "INVALID_CONFIG" in log
    assert SETTING not in log

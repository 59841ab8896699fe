"""A service takes what the router has compressed, signed as it was sent, within the limit of a body."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import httpx
import pytest

from subgraphs.chassis.app import create_app
from subgraphs.chassis.http.body_limit import MAXIMUM_BODY
from subgraphs.chassis.http.compressed_body import decompress
from subgraphs.chassis.settings import ServiceSettings, read_settings
from tests.chassis.example import Notes, notes_service
from tests.chassis.identity.test_router_signature import ANSWERED, ENVIRONMENT, NOW, QUERY, Signed

GZIP = {"content-type": "application/json", "content-encoding": "gzip"}


async def answer(folder: Path, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    """What a service answers the router that signs what it sends."""
    environment = {**ENVIRONMENT, "GALLERIA_DATA": str(folder)}
    app = create_app(notes_service(Notes()), read_settings(ServiceSettings, "notes", environment), lambda: NOW)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://notes") as client:
            sent = Signed(body=body).headers() | (GZIP if headers is None else headers)
            return await client.post("/graphql", content=body, headers=sent)


def code(response: httpx.Response) -> str:
    told: str = response.json()["errors"][0]["extensions"]["code"]
    return told


@pytest.mark.asyncio
async def test_a_compressed_request_is_answered_as_the_same_one_is_that_is_not(tmp_path: Path) -> None:
    assert (await answer(tmp_path, gzip.compress(QUERY))).json() == ANSWERED
    plain = {"content-type": "application/json"}
    assert (await answer(tmp_path, QUERY, plain)).json() == ANSWERED


@pytest.mark.asyncio
async def test_the_signature_is_over_what_was_sent(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "GALLERIA_DATA": str(tmp_path)}
    app = create_app(notes_service(Notes()), read_settings(ServiceSettings, "notes", environment), lambda: NOW)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://notes") as client,
    ):
        of_the_plain = Signed(body=QUERY).headers() | GZIP
        refused = await client.post("/graphql", content=gzip.compress(QUERY), headers=of_the_plain)
    assert (refused.status_code, code(refused)) == (401, "ROUTER_SIGNATURE_INVALID")


@pytest.mark.asyncio
async def test_a_bomb_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(json.dumps({"query": " " * 100_000_000}).encode())
    assert len(bomb) < MAXIMUM_BODY
    refused = await answer(tmp_path, bomb)
    assert (refused.status_code, code(refused)) == (413, "REQUEST_TOO_LARGE")


def test_of_a_bomb_no_more_is_made_than_one_byte_beyond_the_limit() -> None:
    assert len(decompress(gzip.compress(b" " * 10_000_000), 1000)) == 1001
    assert decompress(gzip.compress(b" " * 1000), 1000) == b" " * 1000


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "body",
    [
        b"",
        QUERY,
        gzip.compress(QUERY)[:-1],
        gzip.compress(QUERY) + b"x",
        gzip.compress(b"") * 1000,
        zlib.compress(QUERY),
    ],
    # gzip writes the time into its head: names made of that would differ between the processes that run the tests.
    ids=["nothing", "no gzip", "cut off", "more behind it", "many streams", "zlib"],
)
async def test_what_is_not_one_stream_of_gzip_is_refused(tmp_path: Path, body: bytes) -> None:
    refused = await answer(tmp_path, body)
    assert (refused.status_code, code(refused)) == (400, "INVALID_ENCODING")


@pytest.mark.asyncio
@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, gzip", "no"])
async def test_another_coding_is_refused(tmp_path: Path, coding: str) -> None:
    refused = await answer(tmp_path, gzip.compress(QUERY), {**GZIP, "content-encoding": coding})
    assert (refused.status_code, code(refused)) == (415, "UNSUPPORTED_ENCODING")

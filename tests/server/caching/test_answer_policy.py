"""Answers say to the caches in front of the router the smallest of what the subgraphs said of their parts."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.server.access.issuer import IssuerNow
from tests.server.caching.stand import PROTECTED, Stand, believing, opened
from tests.server.subscriptions.live import until

ON = {"cache_control": {"enabled": True}}
NAMES = "{ products { name } }"
BOTH = "{ products { name available } }"
RENAME = 'mutation { rename(id: "1", name: "Pot") { name } }'


def stand_saying(catalog: str | None = None, stock: str | None = None, **more: str) -> Stand:
    stand = Stand()
    for name, said in (("catalog", catalog), ("stock", stock)):
        stand.says[name] = {**({"cache-control": said} if said is not None else {}), **more}
    return stand


async def told(query: str, *says: str | None, settings: Any = ON, token: str | None = None, **more: str) -> str:
    """What an answer to ``query`` says, over subgraphs that say ``says``."""
    async with opened(settings, stand_saying(*says, **more)) as router:
        return await router.cache_control(query, token)


@pytest.mark.asyncio
async def test_an_answer_says_the_smallest_of_its_parts() -> None:
    assert await told(BOTH, "public, max-age=60", "public, max-age=30, s-maxage=90") == (
        "public, max-age=30, s-maxage=60"
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("catalog", "stock", "answer"),
    [
        ("max-age=60", "private, max-age=90", "private, max-age=60"),
        ("public, max-age=60", "max-age=90", "max-age=60"),
        ("max-age=60", "no-store", "no-store"),
        ("no-store", "max-age=60", "no-store"),
        ("max-age=60", None, "no-store"),
        ("max-age=60", "max-age=0", "no-store"),
    ],
)
async def test_the_strictest_part_holds(catalog: str, stock: str | None, answer: str) -> None:
    assert await told(BOTH, catalog, stock) == answer


@pytest.mark.asyncio
async def test_the_age_of_a_part_is_taken_off() -> None:
    assert await told(NAMES, "max-age=60", age="15") == "max-age=45"


@pytest.mark.asyncio
async def test_a_subgraph_that_says_nothing_counts_as_the_settings_say() -> None:
    settings = {"cache_control": {"enabled": True, "default_max_age_s": 20}}
    assert await told(BOTH, "public, max-age=60", None, settings=settings) == "max-age=20"


@pytest.mark.asyncio
@pytest.mark.parametrize("query", [RENAME, "{ __typename }", "{ nothing }", "{", "mutation { __typename }"])
async def test_mutations_and_what_no_subgraph_answered_are_kept_by_nobody(query: str) -> None:
    assert await told(query, "max-age=60") == "no-store"


@pytest.mark.asyncio
async def test_an_answer_with_errors_is_kept_by_nobody() -> None:
    stand = stand_saying("max-age=60", "max-age=60")
    async with opened(ON, stand) as router:
        assert await router.cache_control(BOTH) == "max-age=60"
        stand.down.add("stock")
        response = await router.ask(BOTH)
        assert response.json()["data"] == {"products": [{"name": n, "available": None} for n in ("Mug", "Cup")]}
        assert response.headers["cache-control"] == "no-store"
        stand.down.clear()
        stand.tells_errors.add("catalog")
        assert await router.cache_control(NAMES) == "no-store"


@pytest.mark.asyncio
async def test_a_document_by_hash_over_get_can_be_kept_in_front_of_the_router() -> None:
    extensions = json.dumps({"persistedQuery": {"version": 1, "sha256Hash": sha256(NAMES.encode()).hexdigest()}})
    async with opened({**ON, "persisted_documents": {"apq": True}}, stand_saying("public, max-age=60")) as router:
        unknown = await router.client.get("/graphql", params={"extensions": extensions})
        assert unknown.headers["cache-control"] == "no-store"
        await router.client.get("/graphql", params={"extensions": extensions, "query": NAMES})
        known = await router.client.get("/graphql", params={"extensions": extensions})
        assert known.headers["cache-control"] == "public, max-age=60"
        assert known.headers["vary"] == "accept"


@pytest.mark.asyncio
async def test_an_answer_varies_by_what_it_may_depend_on(tmp_path: Path) -> None:
    """By the cookie too, which no subgraph gets: it says who asks, so what they see."""
    settings = {
        **ON,
        "headers": {"propagate": ["authorization", "accept-language"]},
        "authentication": {**believing(IssuerNow(), tmp_path), "cookie": "session"},
    }
    async with opened(settings, stand_saying("public, max-age=60")) as router:
        assert (await router.ask(NAMES)).headers["vary"] == "accept, accept-language"
        router.stand.says["catalog"] = {"cache-control": "max-age=60"}
        assert (await router.ask(NAMES)).headers["vary"] == "accept, accept-language, authorization, cookie"


@pytest.mark.asyncio
async def test_where_not_everybody_may_ask_no_answer_is_for_all() -> None:
    stand = stand_saying("public, max-age=60")
    async with opened(
        {
            **ON,
            "plugins": [{"use": "examples.plugins.refused_clients:RefusedClients", "settings": {"names": ["old-app"]}}],
        },
        stand,
    ) as router:
        assert await router.cache_control(NAMES) == "private, max-age=60"


@pytest.mark.asyncio
async def test_what_the_router_shows_to_some_alone_is_for_who_asked_alone(tmp_path: Path) -> None:
    issuer = IssuerNow()
    settings = {**ON, "authentication": believing(issuer, tmp_path)}
    async with opened(settings, stand_saying("public, max-age=60", "public, max-age=60"), PROTECTED) as router:
        token = f"Bearer {issuer.token()}"
        assert await router.cache_control(BOTH, token) == "private, max-age=60"
        assert await router.cache_control(BOTH) == "no-store"
        assert await router.cache_control(NAMES, token) == "public, max-age=60"


@pytest.mark.asyncio
async def test_shared_answers_say_what_the_one_says_that_was_executed() -> None:
    settings = {**ON, "graphql": {"share": True}}
    async with opened(settings, stand_saying("max-age=60")) as router:
        await router.ask(NAMES)
        gate = router.stand.gates["catalog"] = asyncio.Event()
        asking = [asyncio.create_task(router.cache_control(NAMES)) for _ in range(3)]
        await until(lambda: router.stand.asked["catalog"] == 2)
        gate.set()
        assert await asyncio.gather(*asking) == ["max-age=60"] * 3


@pytest.mark.asyncio
async def test_batches_are_kept_by_nobody() -> None:
    async with opened({**ON, "batching": {"enabled": True}}, stand_saying("max-age=60")) as router:
        response = await router.client.post("/graphql", json=[{"query": NAMES}])
        assert response.headers["cache-control"] == "no-store"


@pytest.mark.asyncio
async def test_by_itself_a_router_says_nothing() -> None:
    async with opened({}, stand_saying("max-age=60")) as router:
        response = await router.ask(NAMES)
        assert "cache-control" not in response.headers
        assert "vary" not in response.headers

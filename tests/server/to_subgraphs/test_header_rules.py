"""What subgraphs get of the client's headers, of the token's claims, and of the settings: over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from router.errors import InputError
from router.execution.subgraph_client import Headers
from router.server.access.caller import Caller
from router.server.app import RouterApp, create_app
from router.server.config import RouterConfig, check_config, load_config
from router.server.graphs.graph import open_graph
from router.server.to_subgraphs.header_rules import header_rules
from router.supergraph.read import read_supergraph
from tests.server.access.issuer import AUDIENCE, NAME, IssuerNow
from tests.server.shop import SUPERGRAPH, Shop, codes
from tests.server.subscriptions.live import BIDS, live_stack, serve

BOTH = {"query": "{ whoami warehouses }"}


@dataclass(slots=True)
class Recorded:
    """A router over both subgraphs of the shop; ``got`` has the headers of what each was asked, by its name."""

    url: str
    got: dict[str, list[list[tuple[str, str]]]] = field(default_factory=lambda: {"catalog": [], "stock": []})

    async def ask(self, headers: Mapping[str, str] | None = None) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            return await client.post(self.url, json=BOTH, headers=headers)

    def sent(self, subgraph: str) -> dict[str, str]:
        """What the one request to it bore beside what the HTTP client says."""
        [headers] = self.got[subgraph]
        own = {"host", "content-type", "accept", "accept-encoding", "content-length", "traceparent", "x-request-id"}
        told = [(name, value) for name, value in headers if name not in own]
        assert len(dict(told)) == len(told)
        return dict(told)


def recording(app: ASGIApp, got: list[list[tuple[str, str]]]) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        got.append([(name.decode(), value.decode()) for name, value in scope["headers"]])
        await app(scope, receive, send)

    return answer


@asynccontextmanager
async def recorded(settings: Mapping[str, Any]) -> AsyncIterator[Recorded]:
    config, shop, recorded = check_config(settings, "settings"), Shop(), Recorded("")
    async with AsyncExitStack() as resources:
        sdl = SUPERGRAPH
        for name, got in recorded.got.items():
            served = await serve(recording(shop.app(name), got))
            resources.push_async_callback(served.stop)
            sdl = sdl.replace(f"http://{name}.test", f"http://{served.address}")
        graph = open_graph(read_supergraph(sdl), config)
        resources.push_async_callback(graph.client.close)
        router = await serve(create_app(config, graph))
        resources.push_async_callback(router.stop)
        recorded.url = f"http://{router.address}/graphql"
        yield recorded


@pytest.mark.asyncio
async def test_each_subgraph_gets_what_its_rules_say_over_those_for_all() -> None:
    headers = {
        "propagate": ["Authorization", "x-lang"],
        "rename": {"x-client-tenant": "x-tenant"},
        "set": {"x-from": "galleria", "x-zone": "eu"},
        "subgraphs": {
            "stock": {
                "propagate": ["x-only-stock"],
                "rename": {"x-lang": "x-language"},
                "remove": ["authorization", "x-zone"],
                "set": {"X-From": "gallery"},
            }
        },
    }
    sent = {"authorization": "a", "x-lang": "de", "x-client-tenant": "t", "x-only-stock": "s", "x-other": "o"}
    async with recorded({"headers": headers}) as router:
        assert (await router.ask(sent)).status_code == 200
        catalog = {"authorization": "a", "x-lang": "de", "x-tenant": "t", "x-from": "galleria", "x-zone": "eu"}
        assert router.sent("catalog") == catalog
        stock = {"x-only-stock": "s", "x-language": "de", "x-tenant": "t", "x-from": "gallery"}
        assert router.sent("stock") == stock


@pytest.mark.asyncio
async def test_a_client_cannot_say_what_is_set_or_renamed() -> None:
    headers = {"propagate": ["x-key", "x-tenant"], "rename": {"x-a": "x-tenant"}, "set": {"x-key": "ours"}}
    async with recorded({"headers": headers}) as router:
        await router.ask({"x-key": "theirs", "x-tenant": "theirs", "x-a": "a"})
        assert router.sent("catalog") == {"x-key": "ours", "x-tenant": "a"}


@pytest.mark.parametrize(
    ("rules", "sent"),
    [
        ({"set": {"x-tenant": "ours"}}, ((b"x-a", b"a"), (b"x-tenant", b"ours"))),
        ({"rename": {"x-a": "x-tenant"}}, ((b"x-tenant", b"a"),)),
        ({"remove": ["x-tenant"]}, ((b"x-a", b"a"),)),
    ],
)
def test_a_rule_counts_over_the_header_of_its_name_that_a_host_gives_its_caller(
    rules: Mapping[str, Any], sent: Headers
) -> None:
    config = check_config({"headers": {"propagate": [], **rules}}, "settings")
    caller = Caller(headers=((b"X-Tenant", b"host"), (b"x-a", b"a")))
    assert header_rules(config.headers, ["stock"])["stock"].applied(caller.headers) == sent


def test_what_only_propagates_costs_no_rules() -> None:
    config = check_config({"headers": {"propagate": ["authorization", "x-lang"]}}, "settings")
    assert header_rules(config.headers, ["catalog", "stock"]) == {}
    graph = open_graph(read_supergraph(SUPERGRAPH), config)
    assert graph.traffic is not None
    assert graph.traffic.client is graph.traffic.sharing


@pytest.mark.asyncio
async def test_subscriptions_get_the_rules_at_their_subgraph_with_headers_of_connection_init() -> None:
    rules = {"subgraphs": {"auction": {"rename": {"x-bidder": "authorization"}}}}
    config = check_config({"headers": rules}, "settings")
    sent = {"X-Bidder": "ada", "authorization": "client"}
    async with live_stack(config) as stack, stack.socket(sent) as client:
        await client.subscribe(BIDS)
        await stack.auction.followed_by(1)
        assert stack.auction.authorizations == ["ada"]


def authenticating(issuer: IssuerNow, folder: Path, claims: Mapping[str, str]) -> dict[str, Any]:
    path = folder / "jwks.json"
    path.write_bytes(issuer.jwks())
    issuers = [{"issuer": NAME, "audiences": [AUDIENCE], "jwks_file": str(path)}]
    return {"authentication": {"issuers": issuers, "claims_to_headers": claims}}


@pytest.mark.asyncio
async def test_claims_of_the_token_are_headers_that_no_client_can_say(tmp_path: Path) -> None:
    issuer = IssuerNow()
    claims = {"sub": "X-User-Id", "roles": "x-roles", "staff": "x-staff", "none": "x-none"}
    token = issuer.token(roles=["a", "b"], staff=True)
    rules = {"headers": {"propagate": [], "subgraphs": {"stock": {"remove": ["x-roles"]}}}}
    async with recorded({**authenticating(issuer, tmp_path, claims), **rules}) as router:
        forged = {"x-user-id": "eve", "x-roles": "admin", "x-none": "x"}
        await router.ask({"authorization": f"Bearer {token}", **forged})
        assert router.sent("catalog") == {"x-user-id": "ada", "x-roles": "a,b", "x-staff": "true"}
        assert router.sent("stock") == {"x-user-id": "ada", "x-staff": "true"}
        await router.ask(forged)
        assert not {"x-user-id", "x-roles", "x-none"} & {name for name, _ in router.got["catalog"][1]}


@pytest.mark.asyncio
@pytest.mark.parametrize("sub", ["ada\r\nx-admin: 1", "ada\0", "adá", " ada"])
async def test_a_claim_that_no_header_can_hold_ends_the_request(tmp_path: Path, sub: str) -> None:
    issuer = IssuerNow()
    async with recorded(authenticating(issuer, tmp_path, {"sub": "x-user-id"})) as router:
        response = await router.ask({"authorization": f"Bearer {issuer.token(sub=sub)}"})
        assert (response.status_code, codes(response)) == (401, ["UNAUTHENTICATED"])
        assert router.got == {"catalog": [], "stock": []}


@pytest.mark.asyncio
async def test_a_list_with_a_comma_in_a_member_could_be_another_list(tmp_path: Path) -> None:
    issuer = IssuerNow()
    async with recorded(authenticating(issuer, tmp_path, {"roles": "x-roles"})) as router:
        response = await router.ask({"authorization": f"Bearer {issuer.token(roles=['a,admin'])}"})
        assert response.status_code == 401
        assert router.got == {"catalog": [], "stock": []}


@pytest.mark.asyncio
async def test_a_subscription_bears_the_claims_of_its_token(tmp_path: Path) -> None:
    issuer = IssuerNow()
    settings = authenticating(issuer, tmp_path, {"sub": "x-user-id"})
    settings |= {"headers": {"propagate": []}}
    settings["authentication"]["claims_to_headers"] = {"sub": "authorization"}
    config = check_config(settings, "settings")
    sent = {"authorization": f"Bearer {issuer.token()}"}
    async with live_stack(config) as stack, stack.socket(sent) as client:
        await client.subscribe(BIDS)
        await stack.auction.followed_by(1)
        assert stack.auction.authorizations == ["ada"]


@pytest.mark.parametrize(
    "rules",
    [
        {"propagate": ["x-user-id"]},
        {"set": {"X-User-Id": "eve"}},
        {"rename": {"x-a": "x-user-id"}},
        {"rename": {"x-user-id": "x-a"}},
        {"subgraphs": {"stock": {"propagate": ["x-user-id"]}}},
    ],
)
def test_a_rule_over_the_header_of_a_claim_is_refused(rules: Mapping[str, Any]) -> None:
    settings = {"authentication": {"claims_to_headers": {"sub": "x-user-id"}}, "headers": rules}
    with pytest.raises(InputError) as caught:
        RouterApp(check_config(settings, "settings"))
    assert (caught.value.code, caught.value.message) == (
        "INVALID_CONFIG",
        "authentication.claims_to_headers: the header 'x-user-id' tells a claim of the token alone. Name it for "
        "no other claim, and in no propagate, rename or set of headers, for no subgraph.",
    )


RESERVED = ["connection", "content-length", "Transfer-Encoding", "host", "te", "upgrade", "keep-alive", "trailer"]
RESERVED += ["proxy-connection", "proxy-authorization", "content-type", "content-encoding", "accept", "accept-encoding"]
RESERVED += ["expect", "sec-websocket-key"]


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.parametrize("rule", ["propagate", "set", "rename", "rename from"])
@pytest.mark.parametrize("for_one", [False, True])
def test_no_rule_touches_the_framing(name: str, rule: str, for_one: bool) -> None:
    value: Any = {"propagate": [name], "set": {name: "x"}, "rename": {"x-a": name}, "rename from": {name: "x-a"}}[rule]
    rules = {rule.partition(" ")[0]: value}
    with pytest.raises(InputError) as caught:
        check_config({"headers": {"subgraphs": {"stock": rules}} if for_one else rules}, "settings")
    assert caught.value.code == "INVALID_CONFIG"
    reason = "this header belongs to the connection or to the body, and no rule may name it"
    assert caught.value.message.endswith(f"{reason}, not {name!r}")


@pytest.mark.parametrize("value", ["s3cret\r\nx-admin: 1", "s3cret\n", "s3cret\0", "s3crét"])
def test_a_value_that_could_end_a_header_is_refused_and_not_told(tmp_path: Path, value: str) -> None:
    path = tmp_path / "router.yaml"
    path.write_text("headers: {set: {x-key: '${KEY}'}}")
    with pytest.raises(InputError) as caught:
        load_config(path, {"KEY": value})
    assert (caught.value.code, caught.value.message) == (
        "INVALID_CONFIG",
        f"{path}: headers.set.x-key: a header's value has printable ASCII characters alone, and no spaces around it",
    )


def test_values_are_taken_from_the_environment_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    path.write_text(json.dumps({"headers": {"set": {"X-Key": "${KEY}"}}}))
    config = load_config(path, {"KEY": "s3cret"})
    assert config.headers.set == {"x-key": "s3cret"}
    assert "s3cret" not in repr(config)


@pytest.mark.parametrize("name", ["x key", "x:key", "x-key\r\n", "", "ключ"])
def test_what_is_no_name_of_a_header_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        check_config({"headers": {"set": {name: "x"}}}, "settings")
    assert caught.value.message.endswith(f"this is no name of a header, not {name!r}")


def test_rules_for_an_unknown_subgraph_are_refused() -> None:
    config = RouterConfig.model_validate({"headers": {"subgraphs": {"stok": {}}}})
    with pytest.raises(InputError) as caught:
        open_graph(read_supergraph(SUPERGRAPH), config)
    assert caught.value.message == "headers.subgraphs.stok: there is no subgraph of that name; did you mean 'stock'?"

"""What may be deferred: of mutations, abstract types, lists; what goes with it: files, hooks, plans, permissions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from router.errors import OperationError
from router.field_error import FieldError
from router.planning.override_labels import NO_LABELS
from router.response.incremental import GrowingAnswer
from router.server.access.caller import ANONYMOUS, Caller, Requester
from router.server.app import RouterApp, create_app
from router.server.config import RouterConfig, UploadSettings
from router.server.config.limits import LimitSettings
from router.server.config.plugins import PluginSettings
from router.server.deferred.compiled import CompiledDeferral, DeferralCompiler, DeferralKey
from router.server.deferred.formats import DeferredFormat
from router.server.graphs.graph import open_graph
from router.server.http.graphql_request import GraphQLRequest
from router.server.operations.recently_used import CacheSize
from tests.execution.scripted import ScriptedSubgraphs
from tests.planning.plans import supergraph_of
from tests.server.access.guarded import SECRETS, Guarded, requester
from tests.server.deferred.test_defer import CURRENT, LEGACY, payloads, sending
from tests.server.plugins import trying
from tests.server.shop import client_of

SUBGRAPHS = {
    "catalog": """
        scalar Upload
        type Query { items: [Item!]!  found: [[Found!]]  item(id: ID!): Item }
        type Mutation { rename(name: String!, photo: Upload): Mug! }
        interface Item { id: ID!  name: String }
        union Found = Mug | Class
        type Mug implements Item @key(fields: "id") { id: ID!  name: String }
        type Class implements Item @key(fields: "id") { id: ID!  name: String  hours: Int }
    """,
    "prices": """
        type Mutation { reprice(price: Int!): Mug! }
        type Mug @key(fields: "id") { id: ID!  price: Int }
        type Class @key(fields: "id") { id: ID!  rate: Int }
    """,
    "stock": 'type Mug @key(fields: "id") { id: ID!  available: Int }',
}
DENIED = "UNAUTHORIZED_FIELD_OR_TYPE"
MUG = {"__typename": "Mug", "id": "1", "name": "Mug"}
CLASS = {"__typename": "Class", "id": "2", "name": "Pottery"}
VALUES = {"name": "Mug", "price": 5, "rate": 40, "available": 3, "hours": 2}


def entities(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whatever is asked of entities, from VALUES."""
    sent = body["variables"]["representations"]
    return {"data": {"_entities": [{**one, **VALUES} for one in sent]}}


def catalog(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if "_entities" in body["query"]:
        return entities(body)
    return {"data": {"items": [MUG, CLASS, MUG], "found": [[MUG, CLASS], None], "item": MUG, "rename": MUG}}


def prices(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"data": {"reprice": {"id": "1", "price": 7}}} if "reprice" in body["query"] else entities(body)


def shop() -> ScriptedSubgraphs:
    return ScriptedSubgraphs(catalog=catalog, prices=prices, stock=entities)


def router_over(subgraphs: ScriptedSubgraphs, config: RouterConfig | None = None) -> RouterApp:
    config = config or RouterConfig()
    return create_app(config, open_graph(supergraph_of(SUBGRAPHS), config, subgraphs))


def put_together(parts: list[Any]) -> Any:
    """The data that a client has after the last payload of the form of 2022."""
    data = parts[0]["data"]
    for part in (one for payload in parts[1:] for one in payload.get("incremental", ())):
        target = data
        for step in part["path"]:
            target = target[step]
        target.update(part["data"])
    return data


async def whole(app: RouterApp, query: str, **more: Any) -> Any:
    """The answer of a client that takes no parts."""
    async with sending(app, query, b"application/json", **more) as exchange:
        await exchange.sent.get()
        return json.loads((await exchange.sent.get())["body"])


# -- mutations ---------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_mutation_runs_in_order_and_whole_before_what_it_defers_is_asked_for() -> None:
    subgraphs = shop()
    query = """mutation {
      rename(name: "Cup") { name ... @defer { available } }
      reprice(price: 7) { price ... @defer { name } }
    }"""
    parts = await payloads(router_over(subgraphs), query, LEGACY)
    assert parts[0]["data"] == {"rename": {"name": "Mug"}, "reprice": {"price": 7}}
    assert put_together(parts) == {"rename": {"name": "Mug", "available": 3}, "reprice": {"price": 7, "name": "Mug"}}
    assert subgraphs.names[:2] == ["catalog", "prices"]
    assert sorted(subgraphs.names[2:]) == ["catalog", "stock"]
    assert [name for name, body in subgraphs.requests if body["query"].startswith("mutation")] == ["catalog", "prices"]


@pytest.mark.asyncio
async def test_deferred_part_of_a_mutation_waits_for_its_last_field() -> None:
    subgraphs = shop()
    last = subgraphs.gate("prices")
    query = 'mutation { rename(name: "Cup") { ... @defer { available } } reprice(price: 7) { price } }'
    async with sending(router_over(subgraphs), query, LEGACY) as exchange:
        await subgraphs.until_asked("prices")
        await asyncio.sleep(0)
        assert subgraphs.names == ["catalog", "prices"]
        last.set()
        while await exchange.part() is not None:
            pass
    assert subgraphs.names == ["catalog", "prices", "stock"]


@pytest.mark.asyncio
async def test_root_of_a_mutation_cannot_be_deferred() -> None:
    subgraphs = shop()
    answer = await whole(router_over(subgraphs), 'mutation { ... @defer { rename(name: "Cup") { name } } }')
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["GRAPHQL_VALIDATION_FAILED"]
    assert subgraphs.names == []


# -- abstract types and lists ------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_fragments_on_an_interface_in_a_list_stand_at_each_of_its_objects() -> None:
    query = "{ items { name ... @defer { ... on Mug { price available } ... on Class { hours rate } } } }"
    parts = await payloads(router_over(shop()), query, LEGACY)
    assert parts[0]["data"] == {"items": [{"name": "Mug"}, {"name": "Pottery"}, {"name": "Mug"}]}
    delivered = [part["path"] for payload in parts[1:] for part in payload["incremental"]]
    assert sorted(delivered) == [["items", 0], ["items", 1], ["items", 2]]
    mug, lesson = {"name": "Mug", "price": 5, "available": 3}, {"name": "Pottery", "hours": 2, "rate": 40}
    assert put_together(parts) == {"items": [mug, lesson, mug]}


@pytest.mark.asyncio
async def test_fragments_on_members_of_a_union_stand_at_objects_of_their_type_alone() -> None:
    query = """{ found {
      __typename
      ... on Mug @defer(label: "mug") { price }
      ... on Class { name ... @defer(label: "class") { rate } }
    } }"""
    parts = await payloads(router_over(shop()), query, CURRENT)
    assert parts[0]["data"] == {
        "found": [[{"__typename": "Mug"}, {"__typename": "Class", "name": "Pottery"}], None],
    }
    announced = sorted((one["path"], one["label"]) for payload in parts for one in payload.get("pending", ()))
    assert announced == [(["found", 0, 0], "mug"), (["found", 0, 1], "class")]
    delivered = [one["data"] for payload in parts for one in payload.get("incremental", ())]
    assert sorted(delivered, key=str) == [{"price": 5}, {"rate": 40}]


@pytest.mark.asyncio
async def test_fragments_nested_in_a_list_come_after_those_around_them() -> None:
    query = '{ items { ... @defer(label: "a") { name ... on Mug @defer(label: "b") { price } } } }'
    parts = await payloads(router_over(shop()), query, CURRENT)
    first = [one["label"] for one in parts[0]["pending"]]
    later = [one["label"] for payload in parts[1:] for one in payload.get("pending", ())]
    assert (first, later) == (["a", "a", "a"], ["b", "b"])
    completed = [one["id"] for payload in parts[1:] for one in payload["completed"]]
    assert sorted(completed) == sorted({one["id"] for payload in parts for one in payload.get("pending", ())})


# -- files, hooks, plans -----------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_request_with_files_is_answered_whole() -> None:
    config = RouterConfig(uploads=UploadSettings(enabled=True))
    query = 'mutation ($p: Upload) { rename(name: "Cup", photo: $p) { name ... @defer { available } } }'
    form = {"operations": json.dumps({"query": query, "variables": {"p": None}}), "map": '{"0": ["variables.p"]}'}
    headers = {"accept": "multipart/mixed, application/json", "apollo-require-preflight": "1"}
    async with client_of(router_over(shop(), config)) as client:
        answer = await client.post("/graphql", data=form, files={"0": ("a.txt", b"a")}, headers=headers)
    assert answer.headers["content-type"].startswith("application/")
    assert answer.json() == {"data": {"rename": {"name": "Mug", "available": 3}}}


@pytest.fixture
def noted() -> Iterator[list[str]]:
    trying.noted.clear()
    yield trying.noted
    trying.noted.clear()


@pytest.mark.asyncio
async def test_plugins_see_the_plan_and_the_response_of_an_answer_in_parts_once(noted: list[str]) -> None:
    config = RouterConfig(plugins=[PluginSettings(use="tests.server.plugins.trying:Noting")])
    parts = await payloads(router_over(shop(), config), "{ items { name ... on Mug @defer { price } } }", LEGACY)
    assert put_together(parts)["items"][0] == {"name": "Mug", "price": 5}
    assert [one for one in noted if one.startswith(("request", "plan", "response"))] == [
        "request /graphql",
        "plan 2",
        "response 200",
    ]


@pytest.mark.asyncio
async def test_plan_page_shows_which_fetch_belongs_to_which_part() -> None:
    config = RouterConfig(environment="development")
    query = 'query ($on: Boolean!) { items { name ... on Mug @defer(if: $on, label: "cost") { price } } }'
    subgraphs = shop()
    async with client_of(router_over(subgraphs, config)) as client:
        deferred = (await client.post("/plan", json={"query": query, "variables": {"on": True}})).json()
        undeferred = (await client.post("/plan", json={"query": query, "variables": {"on": False}})).json()
    assert "Primary\n\n#0 catalog" in deferred["text"]
    assert "Deferred 1: 'cost' at items\n\n#1 prices after #0" in deferred["text"]
    assert deferred["json"]["primary"] == {"fetches": [0]}
    assert deferred["json"]["deferred"] == [
        {"part": 1, "fragments": [{"label": "cost", "path": ["items"]}], "after": [], "fetches": [1]}
    ]
    assert "Deferred" not in undeferred["text"]
    assert subgraphs.names == []


# -- one plan for many texts, by the router's own settings -------------------------------------------------------------


@pytest.mark.asyncio
async def test_texts_that_differ_in_literals_share_one_plan_in_parts_and_never_their_literals() -> None:
    subgraphs = shop()
    app = router_over(subgraphs)
    service = app.service
    plans = set()
    for number in range(20):
        query = f'{{ item(id: "{number}") {{ name ... on Mug @defer {{ price }} }} }}'
        parts = await payloads(app, query, LEGACY)
        assert put_together(parts) == {"item": {"name": "Mug", "price": 5}}
        request = GraphQLRequest(query)
        graph, compiled = await service.compiled_operation(request, Caller())
        plans.add(id(await service.plan(graph, compiled, request)))
    sent = [body["variables"]["literal_0"] for name, body in subgraphs.requests if name == "catalog"]
    assert sent == [str(number) for number in range(20)]
    assert len(plans) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        (
            "name " * 200,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Document contains more than 100 tokens. Parsing aborted.",
        ),
        ("nam", "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nam' on type 'Item'."),
    ],
    ids=["too many tokens", "unknown field"],
)
async def test_limits_of_the_settings_hold_where_parts_are_compiled_ahead(fields: str, code: str, message: str) -> None:
    """After a reload nobody has compiled the operation as a whole before. Without introspection none is suggested."""
    config = RouterConfig(limits=LimitSettings(max_tokens=100))
    graph = open_graph(supergraph_of(SUBGRAPHS), config, shop())
    key = DeferralKey(f"{{ items {{ ... @defer {{ {fields} }} }} }}", None, NO_LABELS, ())
    with pytest.raises(OperationError) as refused:
        await graph.deferrals.compiled(key)
    assert (refused.value.code, refused.value.message) == (code, message)


# -- permissions -------------------------------------------------------------------------------------------------------


async def guarded_parts(guarded: Guarded, query: str, who: Requester) -> list[Any]:
    """The payloads that ``who`` gets, in the form of 2022; not even an anonymous one is told a secret."""
    service = guarded.router().service
    request, caller = GraphQLRequest(query), Caller(requester=who)
    graph, compiled = await service.compiled_operation(request, caller)
    answer = await service.run_in_parts(graph, compiled, request, caller, asyncio.get_running_loop().time())
    assert answer is not None
    try:
        found = [json.loads(await answer.begin(DeferredFormat.LEGACY))]
        while (payload := await answer.next()) is not None:
            found.append(json.loads(payload))
    finally:
        await answer.close()
    if not who.scopes:
        assert not [secret for secret in SECRETS if secret in json.dumps(found)]
    return found


def told(parts: list[Any]) -> list[tuple[list[Any], str]]:
    """Path and code of every error, in the first answer and in the parts."""
    places = [parts[0], *(part for payload in parts[1:] for part in payload.get("incremental", ()))]
    return sorted((error["path"], error["extensions"]["code"]) for at in places for error in at.get("errors", ()))


@pytest.mark.asyncio
@pytest.mark.parametrize(("who", "ssn"), [(requester(), None), (requester("read:ssn", "read:people"), "078-05-1120")])
async def test_denied_field_of_a_deferred_part_is_null_there_and_never_fetched(who: Requester, ssn: str | None) -> None:
    guarded = Guarded()
    parts = await guarded_parts(guarded, "{ me { name ... @defer { id ssn rating } } }", who)
    assert parts[0] == {"data": {"me": {"name": "Ada"}}, "hasNext": True}
    rating = 720 if ssn else None
    assert put_together(parts) == {"me": {"name": "Ada", "id": "1", "ssn": ssn, "rating": rating}}
    denied = [] if ssn else [(["me", "rating"], DENIED), (["me", "ssn"], DENIED)]
    assert told(parts) == denied
    assert ssn is not None or not any("ssn" in query or "rating" in query for _, query in guarded.asked)


@pytest.mark.asyncio
async def test_deferred_part_that_is_denied_as_a_whole_is_delivered_with_its_errors() -> None:
    guarded = Guarded()
    parts = await guarded_parts(guarded, "{ people { name ... @defer { ssn } } }", requester())
    assert put_together(parts) == {"people": [{"name": "Ada", "ssn": None}, {"name": "Grace", "ssn": None}]}
    assert told(parts) == [(["people", 0, "ssn"], DENIED), (["people", 1, "ssn"], DENIED)]
    assert [name for name, _ in guarded.asked] == ["people"]


@pytest.mark.asyncio
async def test_denied_field_that_cannot_be_null_costs_its_fragment_alone() -> None:
    parts = await guarded_parts(Guarded(), "{ me { name ... @defer { id pin } } }", ANONYMOUS)
    assert parts[0]["data"] == {"me": {"name": "Ada"}}
    (part,) = [part for payload in parts[1:] for part in payload["incremental"]]
    assert part["data"] is None
    assert told(parts) == [(["me", "pin"], DENIED)]


@pytest.mark.asyncio
async def test_denied_field_of_an_interface_is_denied_in_a_deferred_part_and_read_from_a_type_that_allows_it() -> None:
    query = "{ media { title ... @defer { price ... on Book { own: price } } } }"
    parts = await guarded_parts(Guarded(), query, ANONYMOUS)
    seen = [{"title": "Mort", "price": None, "own": 9}, {"title": "Alien", "price": None}]
    assert put_together(parts) == {"media": seen}
    assert told(parts) == [(["media", 0, "price"], DENIED), (["media", 1, "price"], DENIED)]


def test_error_of_what_was_fetched_for_inner_use_tells_nothing_at_a_denied_place() -> None:
    """``price`` may be seen and ``name`` may not, which another field needed, and which failed."""
    query = "{ items { id ... on Mug @defer { name price } } }"
    denied = frozenset({"Mug.name"})
    compiled = DeferralCompiler(supergraph_of(SUBGRAPHS), CacheSize(10, 10**7))(
        DeferralKey(query, None, NO_LABELS, (), denied)
    )
    assert isinstance(compiled, CompiledDeferral)
    answer = GrowingAnswer(compiled.deferred, {})
    answer.begin({"items": [{"id": "1"}]}, {"items": [{**MUG, "price": 5}]})
    answer.announce()
    answer.add_part(1, [FieldError(("items", 0, "name"), "s3cret"), FieldError(("items", 0, "price"), "no price")])
    (group,) = [group for completed in answer.deliver().completed for group in completed.groups]
    assert group.data == {"name": None, "price": 5}
    assert sorted(error.message for error in group.errors) == ["Not authorized to see Mug.name.", "no price"]


# -- fragments within fragments ----------------------------------------------------------------------------------------

SHELF = {
    "shelf": 'type Query { best: [Item!]! } type Item @key(fields: "id") @interfaceObject { id: ID! }',
    "shop": """
        interface Item @key(fields: "id") { id: ID! }
        interface Named { name: String }
        type Cup implements Item & Named @key(fields: "id") { id: ID!  name: String }
        type Mug implements Item & Named @key(fields: "id") { id: ID!  name: String }
    """,
}


def one_cup(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A cup, with the fields that are asked for."""
    asked = {"id": "1", "again": "1"} if "again" in body["query"] else {}
    return {"data": {"_entities": [{"__typename": "Cup", **asked}]}}


@pytest.mark.asyncio
@pytest.mark.parametrize("form", [LEGACY, CURRENT])
async def test_inner_fragment_that_comes_with_the_fetch_of_the_outer_waits_for_it(form: bytes) -> None:
    config = RouterConfig()
    subgraphs = ScriptedSubgraphs(shelf={"data": {"best": [{"id": "1"}]}}, shop=one_cup)
    app = create_app(config, open_graph(supergraph_of(SHELF), config, subgraphs))

    parts = await payloads(
        app, "{ best { ... on Named @defer { ... on Cup { id } ... on Cup @defer { again: id } } } }", form
    )

    delivered = [part.get("data") for payload in parts[1:] for part in payload.get("incremental", ())]
    assert delivered == [{"id": "1"}, {"again": "1"}]
    assert "errors" not in json.dumps(parts)

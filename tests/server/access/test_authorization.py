"""What a requester may not see is never asked for, is null in the answer, and has an error at each place."""

from __future__ import annotations

import asyncio

import pytest

from router.errors import InputError, OperationError
from router.server.access.caller import Requester
from router.server.config import AuthorizationSettings, RouterConfig
from tests.server.access.guarded import Guarded, ask, requester

DENIED = "UNAUTHORIZED_FIELD_OR_TYPE"
READER = requester("read:ssn", "read:people")


@pytest.fixture
def guarded() -> Guarded:
    return Guarded()


@pytest.mark.asyncio
async def test_a_denied_field_is_null_at_each_place_and_never_fetched(guarded: Guarded) -> None:
    answer = await ask(guarded.router(), "{ people { name ssn id } }")
    assert answer.data == {
        "people": [{"name": "Ada", "ssn": None, "id": "1"}, {"name": "Grace", "ssn": None, "id": "2"}]
    }
    assert list(answer.data["people"][0]) == ["name", "ssn", "id"]
    assert answer.errors == [(("people", 0, "ssn"), DENIED), (("people", 1, "ssn"), DENIED)]
    assert guarded.asked == [("people", "{ people { name id } }")]


@pytest.mark.asyncio
async def test_what_is_wholly_denied_costs_no_fetch(guarded: Guarded) -> None:
    answer = await ask(guarded.router(), "{ diary again: diary }")
    assert answer.data == {"diary": None, "again": None}
    assert answer.errors == [(("diary",), DENIED), (("again",), DENIED)]
    assert guarded.asked == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("who", "seen"),
    [
        (requester(), None),
        (requester("read:ssn"), None),
        (requester("read:ssn", "read:people"), "078-05-1120"),
        (requester("admin"), "078-05-1120"),
    ],
)
async def test_one_of_several_sets_of_scopes_is_enough(guarded: Guarded, who: Requester, seen: str | None) -> None:
    assert (await ask(guarded.router(), "{ me { ssn } }", who)).data == {"me": {"ssn": seen}}


@pytest.mark.asyncio
async def test_an_object_of_which_nothing_may_be_seen_is_still_there(guarded: Guarded) -> None:
    """As if the field itself had failed: its parent was asked for, and a mutation has run."""
    answer = await ask(guarded.router(), 'mutation { rename(name: "Eve") { ssn } }')
    assert answer.data == {"rename": {"ssn": None}}
    assert guarded.asked == [("people", "mutation($literal_0: String!) { rename(name: $literal_0) { __typename } }")]


@pytest.mark.asyncio
async def test_a_denied_mutation_does_not_run(guarded: Guarded) -> None:
    answer = await ask(guarded.router(), "mutation { erase }")
    assert (answer.data, answer.errors, guarded.asked) == ({"erase": None}, [(("erase",), DENIED)], [])


@pytest.mark.asyncio
async def test_a_field_of_a_denied_scalar_is_denied(guarded: Guarded) -> None:
    answer = await ask(guarded.router(), "{ me { salary name } }")
    assert (answer.data, answer.errors) == ({"me": {"salary": None, "name": "Ada"}}, [(("me", "salary"), DENIED)])
    assert (await ask(guarded.router(), "{ me { salary } }", requester())).data == {"me": {"salary": 90000}}


@pytest.mark.asyncio
async def test_null_goes_up_from_a_denied_field_that_cannot_be_null(guarded: Guarded) -> None:
    answer = await ask(guarded.router(), "{ me { name pin } people { name boss { pin } } }")
    assert answer.data == {"me": None, "people": [{"name": "Ada", "boss": None}, {"name": "Grace", "boss": None}]}
    assert answer.errors == [(("me", "pin"), DENIED), (("people", 0, "boss", "pin"), DENIED)]


@pytest.mark.asyncio
async def test_aliases_and_fragments_are_no_way_round(guarded: Guarded) -> None:
    fragment = "fragment F on Person { y: ssn }"
    query = "query($no: Boolean!) { me { name: ssn ...F ... @include(if: $no) { x: ssn } } } " + fragment
    answer = await ask(guarded.router(), query, no=True)
    assert answer.data == {"me": {"name": None, "y": None, "x": None}}
    assert (await ask(guarded.router(), query, no=False)).data == {"me": {"name": None, "y": None}}


@pytest.mark.asyncio
async def test_a_field_of_an_interface_asks_for_what_its_types_ask_for(guarded: Guarded) -> None:
    """The supergraph says so of the interface; a fragment for a type that asks for less reads it there."""
    answer = await ask(guarded.router(), "{ media { title price ... on Book { own: price } } }")
    assert answer.data["media"] == [{"title": "Mort", "price": None, "own": 9}, {"title": "Alien", "price": None}]
    assert answer.errors == [(("media", 0, "price"), DENIED), (("media", 1, "price"), DENIED)]


@pytest.mark.asyncio
async def test_a_field_that_one_of_its_mentions_may_show_stands_where_the_first_mention_is(guarded: Guarded) -> None:
    query = "query($yes: Boolean!) { media { price title ... on Book { price @include(if: $yes) } } }"
    for yes, price in ((True, 9), (False, None)):
        book, film = (await ask(guarded.router(), query, yes=yes)).data["media"]
        assert list(book.items()) == [("price", price), ("title", "Mort")]
        assert list(film.items()) == [("price", None), ("title", "Alien")]


@pytest.mark.asyncio
async def test_a_field_is_read_from_the_types_that_allow_it(guarded: Guarded) -> None:
    """Where the supergraph, of another composer, protects the type alone."""
    before, mark, after = guarded.sdl.partition("interface Media")
    body, end, rest = after.partition("}")
    guarded.sdl = f"{before}{mark}{body.replace('@authenticated', '')}{end}{rest}"
    answer = await ask(guarded.router(), "{ media { title price } }")
    assert answer.data["media"] == [{"title": "Mort", "price": 9}, {"title": "Alien", "price": None}]
    assert answer.errors == [(("media", 1, "price"), DENIED)]
    assert guarded.asked == [("people", "{ media { __typename title ... on Book { price } } }")]


@pytest.mark.asyncio
async def test_an_object_of_a_denied_type_is_null_where_its_type_turns_out(guarded: Guarded) -> None:
    things = "things { __typename ... on Book { title } ... on Vault { content } }"
    answer = await ask(guarded.router(), f"{{ {things} vault {{ content }} }}")
    assert answer.data == {"things": [{"__typename": "Book", "title": "Mort"}, None], "vault": None}
    assert answer.errors == [(("things", 1), DENIED), (("vault",), DENIED)]
    assert all("content" not in document and "vault" not in document for _, document in guarded.asked)


@pytest.mark.asyncio
async def test_a_requirement_is_fetched_inside_and_its_value_stays_there(guarded: Guarded) -> None:
    """``rating`` is computed from ``ssn``; a supergraph that lets everybody see the one hides the other."""
    field = next(line for line in guarded.sdl.splitlines() if line.strip().startswith("rating"))
    guarded.sdl = guarded.sdl.replace(field, field.partition("@requiresScopes")[0])
    answer = await ask(guarded.router(), "{ me { ssn rating } }")
    assert "ssn" in guarded.asked[0][1]
    assert (answer.data, answer.errors) == ({"me": {"ssn": None, "rating": 720}}, [(("me", "ssn"), DENIED)])


@pytest.mark.asyncio
async def test_an_operation_is_planned_once_for_each_outcome_not_for_each_user(guarded: Guarded) -> None:
    app = guarded.router()
    for who in (requester("a"), requester("b", "read:ssn"), requester("c"), READER, requester("admin")):
        await ask(app, "{ me { ssn } }", who)
        await ask(app, "{ me { name } }", who)
    keys = app.service.served_graph().operations.most_recent(9)
    assert {(text, denied) for text, _, _, denied in keys} == {
        ("{ me { name } }", None),
        ("{ me { ssn } }", None),
        ("{ me { ssn } }", frozenset({"Person.ssn"})),
        ("{ me { ssn } }", frozenset()),
    }


@pytest.mark.asyncio
@pytest.mark.parametrize(("who", "status"), [(None, 401), (requester(), 403)])
async def test_the_whole_operation_is_refused_where_the_settings_say_so(
    guarded: Guarded, who: Requester | None, status: int
) -> None:
    app = guarded.router(RouterConfig(authorization=AuthorizationSettings(reject=True)))
    with pytest.raises(OperationError) as caught:
        await ask(app, "{ me { ssn name } }", *([who] if who else []))
    assert (caught.value.code, caught.value.http_status) == (DENIED, status)
    assert caught.value.message == "Not authorized to see Person.ssn."
    assert guarded.asked == []
    assert (await ask(app, "{ me { name } }")).errors == []


@pytest.mark.asyncio
async def test_a_denied_subscription_is_refused(guarded: Guarded) -> None:
    with pytest.raises(OperationError) as caught:
        await ask(guarded.router(), "subscription { renamed }")
    assert (caught.value.code, caught.value.message) == (DENIED, "Not authorized to see Subscription.renamed.")


async def if_named_open(policy: str, who: Requester) -> bool:
    """Lets those through whose claims name the policy."""
    return who.claims is not None and policy in who.claims.get("may", ())


async def broken(policy: str, who: Requester) -> bool:
    raise RuntimeError("out of order")


async def endless(policy: str, who: Requester) -> bool:
    return await asyncio.Event().wait()


async def saying_no(policy: str, who: Requester) -> str:
    """Every text but the empty one is true to Python."""
    return "no"


def with_policy(name: str, function: str) -> RouterConfig:
    policies = {name: f"{__name__}:{function}"}
    return RouterConfig(authorization=AuthorizationSettings(policies=policies, policy_timeout_s=0.05))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "function", "seen"),
    [
        ("open", "if_named_open", True),
        ("*", "if_named_open", True),
        ("open", "broken", False),
        ("open", "endless", False),
        ("open", "saying_no", False),
        ("other", "if_named_open", False),
    ],
)
async def test_a_policy_is_a_function_and_lets_nobody_through_that_it_does_not_name(
    guarded: Guarded, name: str, function: str, seen: bool
) -> None:
    app = guarded.router(with_policy(name, function))
    answer = await ask(app, "{ vault { content } }", Requester({"may": ["open"]}))
    assert answer.data == {"vault": {"content": "gold"} if seen else None}
    assert (await ask(app, "{ vault { content } }", requester())).data == {"vault": None}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("missing", "there is no async function {module}:missing"),
        ("requester", "there is no async function {module}:requester"),
    ],
)
def test_a_policy_that_is_no_async_function_is_refused(guarded: Guarded, function: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        guarded.router(with_policy("open", function))
    assert caught.value.message == f"authorization.policies.open: {message.format(module=__name__)}"

"""What clients learn of errors inside: an id in production, and nothing of the schema by guessing."""

from __future__ import annotations

import logging

import pytest

from router.field_error import FieldError
from router.server.config import ErrorSettings, GraphQLSettings, RouterConfig
from router.server.error_policy import ErrorPolicy, error_policy
from tests.server.access.guarded import Guarded
from tests.server.shop import client_of


def told(message: str, **extensions: object) -> FieldError:
    return FieldError(("a",), message, extensions, subgraph="stock")


def test_a_masked_message_is_in_the_log_once_under_the_id_that_the_client_gets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    policy = error_policy(RouterConfig())
    assert policy is not None
    caplog.set_level(logging.WARNING)
    broken = [told("password 4711", code="BROKEN", trace="line 1"), told("password 4711", code="BROKEN")]
    errors = policy.presented(broken)
    incident = errors[0].extensions["id"]
    assert [error.to_json() for error in errors] == [
        {
            "message": f"Subgraph 'stock' reported an error. The router's log tells more under the id {incident}.",
            "path": ("a",),
            "extensions": {"code": "BROKEN", "id": incident},
        }
    ] * 2
    assert [record.message for record in caplog.records] == [f"error {incident} of subgraph 'stock': password 4711"]


def test_allowed_codes_are_told_with_allowed_extensions() -> None:
    policy = ErrorPolicy(["NOT_FOUND"], ["code", "hint"])
    found = policy.presented([told("No such order.", code="NOT_FOUND", hint="look", stack="secret")])
    assert found[0].to_json() == {
        "message": "No such order.",
        "path": ("a",),
        "extensions": {"code": "NOT_FOUND", "hint": "look"},
    }


def test_the_routers_own_errors_stay_as_they_are() -> None:
    own = [FieldError(("a",), "Subgraph 'stock' did not answer.", {"code": "SUBGRAPH_TIMEOUT", "service": "stock"})]
    assert ErrorPolicy([], []).presented(own) is own


@pytest.mark.parametrize(
    ("config", "masks"),
    [
        (RouterConfig(), True),
        (RouterConfig(environment="development"), False),
        (RouterConfig(errors=ErrorSettings(mask=False)), False),
        (RouterConfig(environment="development", errors=ErrorSettings(mask=True)), True),
    ],
)
def test_messages_are_masked_in_production_unless_the_settings_say_otherwise(config: RouterConfig, masks: bool) -> None:
    assert (error_policy(config) is not None) is masks


@pytest.mark.asyncio
@pytest.mark.parametrize(("introspection", "hint"), [(False, ""), (True, " Did you mean 'name'?")])
async def test_a_wrong_name_is_no_way_to_learn_the_schema(introspection: bool, hint: str) -> None:
    config = RouterConfig(graphql=GraphQLSettings(introspection=introspection))
    async with client_of(Guarded().router(config)) as client:
        response = await client.post("/graphql", json={"query": "{ me { nam } }"})
    assert response.json()["errors"][0]["message"] == f"Cannot query field 'nam' on type 'Person'.{hint}"

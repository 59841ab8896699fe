"""``import router`` has what a library's user, and the author of a plugin, writes down."""

from __future__ import annotations

import inspect
import typing

import router


def test_every_name_is_there() -> None:
    assert [getattr(router, name).__name__ for name in router.__all__] == router.__all__


def test_every_type_in_a_hook_of_a_plugin_is_there() -> None:
    given = {
        kind
        for name, hook in inspect.getmembers(router.Plugin, inspect.isfunction)
        if name.startswith("on_")
        for kind in typing.get_type_hints(hook).values()
    }
    own = {one for kind in given for one in (typing.get_args(kind) or (kind,)) if one.__module__.startswith("router.")}

    assert own == {
        router.FieldError,
        router.GraphQLRequest,
        router.Operation,
        router.QueryPlan,
        router.RequestContext,
        router.ResponseHead,
        router.SubgraphRequest,
        router.SubgraphResponse,
    }

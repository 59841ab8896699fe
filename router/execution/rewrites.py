"""Renaming on arrival: keys that a subgraph was asked under another name, back to the plan's response keys.

With ``Rewrite((PathStep("media"),), ("Book",), "_price_1", "price")`` the answer ``{"media": {"__typename": "Book",
"_price_1": 5}}`` becomes ``{"media": {"__typename": "Book", "price": 5}}``, and so do the paths of its errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from router.execution.merge import JsonObject, merge_object
from router.execution.places import compile_collect
from router.field_error import ClientPath
from router.planning.query_plan import Rewrite

Rename = Callable[[JsonObject], None]
RenamePath = Callable[[ClientPath], ClientPath]


def compile_rewrites(rewrites: Sequence[Rewrite]) -> Rename | None:
    """A function that renames within one answer (from the root) or one entity; None where there is nothing to do."""
    if not rewrites:
        return None
    steps = tuple(
        (
            compile_collect(rewrite.path),
            frozenset(rewrite.types) if rewrite.types is not None else None,
            rewrite.sent,
            rewrite.response_key,
        )
        for rewrite in rewrites
    )

    def rename(root: JsonObject) -> None:
        for collect, types, sent, response_key in steps:
            for target in collect(root):
                if sent in target and (types is None or target.get("__typename") in types):
                    merge_object(target, {response_key: target.pop(sent)})

    return rename


def compile_path_rewrites(rewrites: Sequence[Rewrite]) -> RenamePath:
    """A function that renames the keys in an error's path in the way the data was renamed."""
    renamed = {
        (tuple(step.response_key for step in rewrite.path), rewrite.sent): rewrite.response_key for rewrite in rewrites
    }
    if not renamed:
        return _as_it_is

    def rename_path(path: ClientPath) -> ClientPath:
        keys: tuple[str, ...] = ()
        client: list[str | int] = []
        for step in path:
            if isinstance(step, str):
                step = renamed.get((keys, step), step)
                keys = (*keys, step)
            client.append(step)
        return tuple(client)

    return rename_path


def _as_it_is(path: ClientPath) -> ClientPath:
    return path

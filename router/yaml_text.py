"""A YAML text -> its values. A key that stands twice is refused: YAML would silently keep the last of its values."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

_MERGE_TAG = "tag:yaml.org,2002:merge"


class RepeatedKey(yaml.MarkedYAMLError):
    """``key`` stands a second time in its mapping, at ``problem_mark``."""

    def __init__(self, node: yaml.ScalarNode) -> None:
        self.key: str = node.value
        super().__init__(problem=f"found the key '{self.key}' twice in one mapping", problem_mark=node.start_mark)


def read_yaml(text: str) -> object:
    """The values that ``text`` writes. Raises YAMLError (RepeatedKey among them), ValueError, and RecursionError."""
    values: object = yaml.load(text, Loader=_UniqueKeysLoader)  # noqa: S506 - it is a SafeLoader
    return values


class _UniqueKeysLoader(yaml.SafeLoader):
    """Refuses repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set[str]()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE_TAG:
                if key.value in seen:
                    raise RepeatedKey(key)
                seen.add(key.value)
        return super().construct_mapping(node, deep)

"""The names and versions of the join specification."""

from __future__ import annotations

import pytest

from router.federation.feature_url import Version
from router.federation.join_spec import graph_enum_names, join_version


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subgraphA", "SUBGRAPHA"),
        ("product-list", "PRODUCT_LIST"),
        ("3d", "_3D"),
        ("shop_2", "SHOP_2_"),
        ("caf\u00e9", "CAF_"),
    ],
)
def test_a_subgraph_has_a_value_of_join_graph(name: str, value: str) -> None:
    assert graph_enum_names([name]) == {name: value}


def test_equal_values_are_told_apart() -> None:
    assert graph_enum_names(["a-b", "a_b", "c"]) == {"a-b": "A_B_1", "a_b": "A_B_2", "c": "C"}


@pytest.mark.parametrize(
    ("federation", "join"), [((2, 0), (0, 3)), ((2, 6), (0, 3)), ((2, 7), (0, 4)), ((2, 8), (0, 5))]
)
def test_the_join_version_follows_the_highest_federation_version(
    federation: tuple[int, int], join: tuple[int, int]
) -> None:
    assert join_version(Version(*federation)) == Version(*join)

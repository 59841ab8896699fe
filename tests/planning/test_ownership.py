"""Which fields fall with which fetch: of an object that several fetches bring, each owns what it asks for inside."""

from __future__ import annotations

from router.planning.query_plan import OwnedField
from tests.planning.plans import plan_of


def told(owned: tuple[OwnedField, ...]) -> list[str]:
    """Each as its path from the object that the fetch merges into."""
    return [".".join([*(step.response_key for step in one.path), one.response_key]) for one in owned]


def test_object_that_one_fetch_brings_of_an_interface_and_another_of_a_type_is_owned_by_neither() -> None:
    """``kin.kin.kin`` is there when ``extra`` of mugs alone is asked for inside it: that is what would be missing."""
    plan = plan_of(
        {
            "names": """
                interface Item @key(fields: "id") { id: ID! }
                type Mug implements Item @key(fields: "id") { id: ID! }
                type Query { mug: Mug }
            """,
            "extras": """
                type Item @interfaceObject @key(fields: "id") { id: ID! extra: String kin: Item }
                type Query { near: Item }
            """,
        },
        "{ near { kin { kin { ... on Mug { kin { extra kin { extra } } } kin { id } } } } }",
    )
    of_mugs = next(fetch for fetch in plan.fetches if "extra" in fetch.document)
    assert [told(lookup.owned) for lookup in of_mugs.lookups] == [["kin.extra", "kin.kin"]]


def test_object_of_which_all_may_be_skipped_is_owned_beside_what_is_inside() -> None:
    plan = plan_of(
        {
            "boxes": 'type Box @key(fields: "id") { id: ID! } type Query { box: Box }',
            "lefts": 'type Box @key(fields: "id") { id: ID! value: Value @shareable } type Value { left: Int }',
            "rights": 'type Box @key(fields: "id") { id: ID! value: Value @shareable } type Value { right: Int }',
        },
        "query ($no: Boolean!) { box { value { left @skip(if: $no) right @skip(if: $no) } } }",
    )
    owned = {fetch.subgraph: [told(lookup.owned) for lookup in fetch.lookups] for fetch in plan.fetches}
    assert owned == {
        "boxes": [],
        "lefts": [["value.left", "value"]],
        "rights": [["value.right", "value"]],
    }

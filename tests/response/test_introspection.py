"""Introspection is answered from the API schema, among whatever else was asked."""

from __future__ import annotations

from graphql import get_introspection_query

from tests.response.projected import SCHEMA, project, projection_of


def test_it_stands_among_other_fields_in_order() -> None:
    query = """
    query ($name: String!, $more: Boolean!) {
      maker { name }
      mine: __type(name: $name) { ...T }
      __schema { queryType { name } }
      hidden: __type(name: "Maker") @include(if: $more) { name }
    }
    fragment T on __Type { name fields { name type { kind name } } }
    """
    found, errors = project(query, {"maker": {"name": "A"}}, variables={"name": "Maker", "more": False})
    assert errors == []
    assert list(found) == ["maker", "mine", "__schema"]
    assert found["__schema"] == {"queryType": {"name": "Query"}}
    assert found["mine"]["fields"][0] == {"name": "name", "type": {"kind": "NON_NULL", "name": None}}


def test_the_whole_schema_is_introspected_once_and_then_remembered() -> None:
    projection = projection_of(get_introspection_query())
    first = projection({}, [], {}).data
    second = projection({}, [], {}).data
    assert first is not None
    assert second is not None
    assert first["__schema"] is second["__schema"]
    assert {kind["name"] for kind in first["__schema"]["types"]} == set(SCHEMA.type_map)


def test_an_unknown_type_is_null() -> None:
    assert project('{ __type(name: "Nothing") { name } }', {}) == ({"__type": None}, [])

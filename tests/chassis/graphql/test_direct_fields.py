"""Attributes, and methods of an object alone, are read without Strawberry's resolver call; all else keeps it."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry

from subgraphs.chassis.graphql import direct_fields
from subgraphs.chassis.graphql.graphql_schema import ServiceSchema, service_schema


class Nobody(strawberry.BasePermission):
    message = "Nobody may see this."

    def has_permission(self, source: object, info: strawberry.Info[Any, Any], **arguments: object) -> bool:
        return False


@strawberry.type
class Parcel:
    weight_grams: int
    label: str | None = strawberry.field(name="sticker", default=None)
    secret: str | None = strawberry.field(default="salt", permission_classes=[Nobody])

    @strawberry.field
    def weight(self) -> str:
        return f"{self.weight_grams} g"

    @strawberry.field
    def rounded(self, to: int = 100) -> int:
        return round(self.weight_grams / to) * to

    @strawberry.field
    def path(self, info: strawberry.Info[Any, Any]) -> str:
        return ".".join(map(str, info.path.as_list()))

    @strawberry.field
    async def later(self) -> int:
        return self.weight_grams

    @strawberry.field
    @staticmethod
    def unit() -> str:
        return "g"


@strawberry.type
class Query:
    @strawberry.field
    def parcel(self) -> Parcel:
        return Parcel(weight_grams=1234)


@pytest.fixture(scope="module")
def schema() -> ServiceSchema:
    return service_schema(Query)


@pytest.mark.asyncio
async def test_every_kind_of_field_answers_as_before(schema: ServiceSchema) -> None:
    query = "{ parcel { weightGrams sticker weight rounded tens: rounded(to: 10) path later unit secret } }"
    result = await schema.execute(query)
    assert result.data is not None
    assert result.data["parcel"] == {
        "weightGrams": 1234,
        "sticker": None,
        "weight": "1234 g",
        "rounded": 1200,
        "tens": 1230,
        "path": "parcel.path",
        "later": 1234,
        "unit": "g",
        "secret": None,
    }
    assert [error.message for error in result.errors or ()] == ["Nobody may see this."]


def test_only_fields_that_need_nothing_else_are_direct(schema: ServiceSchema) -> None:
    fields = schema._schema.type_map["Parcel"].fields  # type: ignore[attr-defined]
    direct = {name for name, field in fields.items() if field.resolve.__module__ == direct_fields.__name__}
    assert direct == {"weightGrams", "sticker", "weight"}

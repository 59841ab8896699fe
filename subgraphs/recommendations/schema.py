"""The GraphQL schema of recommendations: fields on other services' entities, and references to products.

Lists are short and bounded by ``first`` rather than paged: nobody asks for the second page of a suggestion. All of them
may be null, so that the rest of a page stands while this service is away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.graphql.graphql_schema import service_schema
from subgraphs.chassis.graphql.loading import batch_loader
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import require_user
from subgraphs.recommendations.domain import MOST_RECOMMENDED, Ranking, Suggestion, fill_with_popular
from subgraphs.recommendations.service import Recommendations

READ_ALL = "orders:read-all"

First: TypeAlias = Annotated[int, strawberry.argument(description=f"How many products: 0 to {MOST_RECOMMENDED}.")]


@dataclass(frozen=True, slots=True)
class Loaders:
    """The loaders of one request: rankings by the id of a product or a customer, best-sellers once, and what sells best
    these weeks by how many are asked for."""

    companions: DataLoader[str, Ranking | None]
    tastes: DataLoader[str, Ranking | None]
    popular: DataLoader[None, Sequence[str] | None]
    trending: DataLoader[int, Sequence[str] | None]

    async def fill(self, ranking: Ranking | None, first: int) -> Sequence[Suggestion]:
        """The ``first`` of ``ranking``; best-sellers are looked up only where it is shorter, or None."""
        ranking = ranking or Ranking()
        popular = await self.popular.load(None) if len(ranking.suggestions) < first else None
        return fill_with_popular(ranking, popular or (), first)


def make_loaders(recommendations: Recommendations) -> Loaders:
    """Fresh loaders: what one request has seen is not remembered for the next."""

    async def popular(keys: Sequence[None]) -> Mapping[None, Sequence[str]]:
        return {None: await recommendations.popular()}

    async def trending(firsts: Sequence[int]) -> Mapping[int, Sequence[str]]:
        longest = await recommendations.trending(max(firsts))
        return {first: longest[:first] for first in firsts}

    companions, tastes = batch_loader(recommendations.companions), batch_loader(recommendations.tastes)
    return Loaders(companions, tastes, batch_loader(popular), batch_loader(trending))


Info: TypeAlias = strawberry.Info[RequestContext[Recommendations, Loaders], None]


async def _bought_together(product: strawberry.Parent[Product], info: Info, first: First = 5) -> list[Product] | None:
    _check_first(first)
    ranking = await info.context.loaders.companions.load(product.id)
    if ranking is None:
        return None
    return [_product(suggestion.product_id) for suggestion in await info.context.loaders.fill(ranking, first)]


async def _recommendations(customer: strawberry.Parent[Customer], info: Info, first: First = 5) -> list[Product] | None:
    return [_product(suggestion.product_id) for suggestion in await _suggestions(customer, info, first)]


async def _explained_recommendations(
    customer: strawberry.Parent[Customer], info: Info, first: First = 5
) -> list[Recommendation] | None:
    return [Recommendation.of(suggestion) for suggestion in await _suggestions(customer, info, first)]


async def _suggestions(customer: Customer, info: Info, first: int) -> Sequence[Suggestion]:
    _check_first(first)
    return await info.context.loaders.fill(await info.context.loaders.tastes.load(customer.id), first)


async def _trending(info: Info, first: First = 5) -> list[Product] | None:
    _check_first(first)
    return _products(await info.context.loaders.trending.load(first) or ()) if first else []


@strawberry.federation.type(keys=["id"], extend=True)
class Product:
    """A product; inventory knows the rest of it."""

    id: strawberry.ID = strawberry.field(description="The SKU, such as MUG-001.")
    bought_together: list[Product] | None = strawberry.field(
        resolver=_bought_together,
        description="What is bought together with this product, the strongest first; then best-sellers.",
    )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002 - the key's name
        """The product, or None for one that nobody told us of."""
        known = await info.context.loaders.companions.load(id)
        return None if known is None else cls(id=id)


@strawberry.federation.type(keys=["id"], extend=True)
class Customer:
    """A customer; orders knows the rest of them."""

    id: strawberry.ID = strawberry.field(description="The subject of their tokens.")
    recommendations: list[Product] | None = strawberry.field(
        resolver=_recommendations,
        description=(
            "What this customer buys again and again, and what goes with all that they bought; then best-sellers."
            " Nothing else that they have."
        ),
    )
    explained_recommendations: list[Recommendation] | None = strawberry.field(
        resolver=_explained_recommendations, description="The same as `recommendations`, each with its reason."
    )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002 - the key's name
        """The customer; None, as for one that does not exist, for anyone but themselves and staff
        with the scope ``orders:read-all``.

        Raises CodedError(UNAUTHENTICATED) for an anonymous request. Staff see customers who ever bought something.
        """
        auth = require_user(info.context.auth)
        if auth.has_scope(READ_ALL):
            known = await info.context.loaders.tastes.load(id)
            return None if known is None else cls(id=id)
        return cls(id=id) if auth.subject == id else None


@strawberry.type(description="A product for a customer, and why.")
class Recommendation:
    """A product for a customer, and why."""

    product: Product = strawberry.field(description="What to offer.")
    because_you_bought: Product | None = strawberry.field(
        description=(
            "The product of theirs that calls for this one most; the product itself where they buy it again and again;"
            " null for a best-seller."
        )
    )

    @classmethod
    def of(cls, suggestion: Suggestion) -> Self:
        """The GraphQL form of ``suggestion``."""
        because = suggestion.because
        return cls(product=_product(suggestion.product_id), because_you_bought=_product(because) if because else None)


@strawberry.type
class Query:
    """Open to everyone."""

    trending: list[Product] | None = strawberry.field(
        resolver=_trending, description="What sells best these weeks, the strongest first."
    )


def _products(ids: Sequence[str]) -> list[Product]:
    return [_product(id_) for id_ in ids]


def _product(id_: str) -> Product:
    return Product(id=strawberry.ID(id_))


def _check_first(first: int) -> None:
    if first < 0:
        raise CodedError("PAGE_SIZE_NEGATIVE", f"first: {first} is negative.")
    if first > MOST_RECOMMENDED:
        raise CodedError("PAGE_SIZE_TOO_LARGE", f"first: {first} is more than the maximum of {MOST_RECOMMENDED}.")


schema = service_schema(Query, types=[Product, Customer])

"""The database of recommendations; the only file that sees its documents.

Collections::

    baskets    {_id: order id, customerId, productIds, confirmedAt, settled}
    tallies    {_id: product id, active, changedAt, orders, trend, together: {companion: n}, counted: [order id]}
    histories  {_id: customer id, bought: {product id: last confirmedAt}}

An order touches the tally of each of its products, and there is no transaction around them, so counting is made
repeatable. The basket is the record of truth: kept first, counted into each tally, then settled. A tally takes its
increments and the order's id in ONE update, on the condition that the id is not there: after a crash in the middle the
whole is repeated, and what was counted is not counted again. A settled basket is never counted again at all, so a
tally needs to remember only the orders that may be on their way at the same time: the last COUNTED_LIMIT. The ids are
those of orders rather than of events, because an order is one basket whoever tells of it, the demo shop included.
Histories need no such care: the last time of each product is the same however often and in whatever order it is told.

Shard keys: `_id` in each collection. The tallies can be counted anew from the baskets at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from subgraphs.chassis.mongodb import Collection, Database, Document, DocumentCollection
from subgraphs.recommendations.domain import (
    Basket,
    History,
    Model,
    Neighbourhood,
    ProductNews,
    Tally,
    pairs,
    trend_weight,
)

COUNTED_LIMIT = 200

COLLECTIONS = (
    Collection("baskets"),
    Collection(
        "tallies",
        indexes=(
            IndexModel([("active", ASCENDING), ("orders", DESCENDING), ("_id", ASCENDING)], name="best_sellers"),
            IndexModel([("active", ASCENDING), ("trend", DESCENDING), ("_id", ASCENDING)], name="trending"),
        ),
    ),
    Collection("histories"),
)

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_DUPLICATE_KEY = 11000
# A product that nobody told us of is not recommended: it may have been sold once and for all.
_BLANK: Final[Document] = {
    "active": False,
    "changedAt": _NEVER,
    "orders": 0,
    "trend": 0.0,
    "together": {},
    "counted": [],
}


class MongoStore:
    """Implements :class:`subgraphs.recommendations.service.Store` over MongoDB."""

    def __init__(self, database: Database) -> None:
        self._baskets = database["baskets"]
        self._tallies = database["tallies"]
        self._histories = database["histories"]

    async def keep_basket(self, basket: Basket) -> bool:
        """See :class:`Store`."""
        try:
            await self._baskets.insert_one(_basket_document(basket, settled=False))
        except DuplicateKeyError:
            known = await self._baskets.find_one({"_id": basket.order_id}, {"settled": 1})
            return known is not None and not known["settled"]
        return True

    async def count_basket(self, basket: Basket) -> None:
        """See :class:`Store`."""
        bought = {f"bought.{product_id}": basket.confirmed_at for product_id in basket.product_ids}
        await self._histories.update_one({"_id": basket.customer_id}, {"$max": bought}, upsert=True)
        await self._ensure_tallies(basket.product_ids)
        await self._tallies.bulk_write(list(_increments(basket)), ordered=False)

    async def settle_basket(self, order_id: str) -> None:
        """See :class:`Store`."""
        await self._baskets.update_one({"_id": order_id}, {"$set": {"settled": True}})

    async def note_product(self, news: ProductNews) -> None:
        """See :class:`Store`."""
        await self._ensure_tallies([news.product_id])
        not_newer = {"_id": news.product_id, "changedAt": {"$lte": news.changed_at}}
        await self._tallies.update_one(not_newer, {"$set": {"active": news.active, "changedAt": news.changed_at}})

    async def neighbourhoods(self, product_ids: Sequence[str]) -> dict[str, Neighbourhood]:
        """See :class:`Store`."""
        # One batch, whatever the number: a second one would be a second round trip.
        found = self._tallies.aggregate(_neighbourhood_pipeline(product_ids), batchSize=len(product_ids) + 1)
        return {document["_id"]: _neighbourhood(document) async for document in found}

    async def histories(self, customer_ids: Sequence[str]) -> dict[str, History]:
        """See :class:`Store`."""
        found = self._histories.find({"_id": {"$in": list(customer_ids)}}, batch_size=len(customer_ids) + 1)
        return {document["_id"]: History(document["_id"], document["bought"]) async for document in found}

    async def best_sellers(self, limit: int) -> list[str]:
        """See :class:`Store`."""
        return await self._active_by("orders", limit)

    async def trending(self, limit: int) -> list[str]:
        """See :class:`Store`."""
        return await self._active_by("trend", limit)

    async def import_model(self, model: Model) -> int:
        """See :class:`Store`."""
        tallies = [_tally_document(news, model.tallies.get(news.product_id)) for news in model.products]
        histories = [{"_id": id_, "bought": dict(history.bought)} for id_, history in model.histories.items()]
        baskets = [_basket_document(basket, settled=True) for basket in model.baskets]
        # Baskets last: they say that their tallies are complete.
        await _insert_missing(self._tallies, tallies)
        await _insert_missing(self._histories, histories)
        await _insert_missing(self._baskets, baskets)
        return len(tallies) + len(histories) + len(baskets)

    async def _ensure_tallies(self, product_ids: Iterable[str]) -> None:
        blanks = [UpdateOne({"_id": product_id}, {"$setOnInsert": _BLANK}, upsert=True) for product_id in product_ids]
        await self._tallies.bulk_write(blanks, ordered=False)

    async def _active_by(self, count: str, limit: int) -> list[str]:
        sold = self._tallies.find({"active": True}, {"_id": 1}).sort([(count, DESCENDING), ("_id", ASCENDING)])
        return [document["_id"] async for document in sold.limit(limit)]


def _increments(basket: Basket) -> Iterator[UpdateOne]:
    trend = trend_weight(basket.confirmed_at)
    increments: dict[str, Document] = {id_: {"orders": 1, "trend": trend} for id_ in basket.product_ids}
    for product_id, companion in pairs(basket):
        increments[product_id][f"together.{companion}"] = 1
    for product_id, increment in increments.items():
        not_counted = {"_id": product_id, "counted": {"$ne": basket.order_id}}
        remember = {"counted": {"$each": [basket.order_id], "$slice": -COUNTED_LIMIT}}
        yield UpdateOne(not_counted, {"$inc": increment, "$push": remember})


def _neighbourhood_pipeline(product_ids: Sequence[str]) -> list[Document]:
    """One query for many products and their companions' counts: a $lookup by the ids that are keys of `together`."""
    companion_ids = {"$map": {"input": {"$objectToArray": "$together"}, "in": "$$this.k"}}
    companions = {
        "from": "tallies",
        "localField": "companionIds",
        "foreignField": "_id",
        "pipeline": [{"$match": {"active": True}}, {"$project": {"orders": 1}}],
        "as": "companions",
    }
    return [
        {"$match": {"_id": {"$in": list(product_ids)}}},
        {"$project": {"orders": 1, "together": 1, "companionIds": companion_ids}},
        {"$lookup": companions},
        {"$project": {"companionIds": 0}},
    ]


def _neighbourhood(document: Document) -> Neighbourhood:
    companion_orders = {companion["_id"]: companion["orders"] for companion in document["companions"]}
    return Neighbourhood(document["_id"], document["orders"], document["together"], companion_orders)


def _basket_document(basket: Basket, *, settled: bool) -> Document:
    return {
        "_id": basket.order_id,
        "customerId": basket.customer_id,
        "productIds": list(basket.product_ids),
        "confirmedAt": basket.confirmed_at,
        "settled": settled,
    }


def _tally_document(news: ProductNews, tally: Tally | None) -> Document:
    known = {"_id": news.product_id, **_BLANK, "active": news.active, "changedAt": news.changed_at}
    if tally is None:
        return known
    return {**known, "orders": tally.orders, "trend": tally.trend, "together": dict(tally.together)}


async def _insert_missing(collection: DocumentCollection, documents: Sequence[Document]) -> None:
    """Insert the documents whose ids are not taken yet."""
    if not documents:
        return
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if any(problem["code"] != _DUPLICATE_KEY for problem in (error.details or {})["writeErrors"]):
            raise

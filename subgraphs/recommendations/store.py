"""The database of recommendations; the only file that sees its documents.

Collections::

    baskets    {_id: order id, customerId, productIds, confirmedAt, settled}
    tallies    {_id: product id, active, version, inStock, stockVersion,
                orders, weight, weeks: {week: n}, trend, together: {companion: weight}, counted: [order id]}
    histories  {_id: customer id, bought: {product id: {times, last}}, counted: [order id]}

An order touches the tally of each of its products, and there is no transaction around them, so counting is made
repeatable. The basket is the record of truth: kept first, counted into each tally, then settled. A tally takes its
increments and the order's id in ONE update, on the condition that the id is not there: after a crash in the middle the
whole is repeated, and what was counted is not counted again. A settled basket is never counted again at all, so a
tally needs to remember only the orders that may be on their way at the same time: the last COUNTED_LIMIT. The ids are
those of orders rather than of events, because an order is one basket whoever tells of it, the demo shop included.
Histories are counted in the same way.

`trend` is derived from `weeks`, and written by whoever counted last: each counter writes it after its own increment,
on the condition that nobody counted since it read (`orders` only grows).

Each collection is sharded by id. All of it can be learned anew from the stream at any time (see rebuild.py), in
collections that are made beside these and then take their place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final
from uuid import uuid4

import pymongo
from bson import Int64
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.errors import DuplicateKeyError

from subgraphs.chassis.database.mongodb import (
    BY_ID,
    Collection,
    Database,
    Document,
    insert_missing,
    prepare_collections,
)
from subgraphs.recommendations.domain import (
    Basket,
    History,
    Model,
    Neighbourhood,
    ProductNews,
    Purchases,
    StockNews,
    Tally,
    basket_weight,
    pairs,
    trend,
    week_of,
)

COUNTED_LIMIT = 200
COLLECTIONS_WITHIN_S = 60.0
"""Making, renaming and dropping collections takes longer than reading them."""

SELLABLE = {"active": True, "inStock": True}
"""What a tally must be for its product to be recommended."""

_COUNT_SCHEMA: Document = {"bsonType": ["int", "long"], "minimum": 0}
BASKET_SCHEMA: Document = {
    "bsonType": "object",
    "required": ["customerId", "productIds", "confirmedAt", "settled"],
    "properties": {
        "customerId": {"bsonType": "string"},
        "productIds": {"bsonType": "array", "items": {"bsonType": "string"}},
        "confirmedAt": {"bsonType": "date"},
        "settled": {"bsonType": "bool"},
    },
}
TALLY_SCHEMA: Document = {
    "bsonType": "object",
    "required": [
        *("active", "version", "inStock", "stockVersion"),
        *("orders", "weight", "weeks", "trend", "together", "counted"),
    ],
    "properties": {
        "active": {"bsonType": "bool"},
        "version": _COUNT_SCHEMA,
        "inStock": {"bsonType": "bool"},
        "stockVersion": _COUNT_SCHEMA,
        "orders": _COUNT_SCHEMA,
        "weight": _COUNT_SCHEMA,
        "weeks": {"bsonType": "object", "additionalProperties": _COUNT_SCHEMA},
        "trend": {"bsonType": ["int", "long", "double"]},
        "together": {"bsonType": "object", "additionalProperties": _COUNT_SCHEMA},
        "counted": {"bsonType": "array", "maxItems": COUNTED_LIMIT},
    },
}
HISTORY_SCHEMA: Document = {
    "bsonType": "object",
    "required": ["bought", "counted"],
    "properties": {
        "bought": {
            "bsonType": "object",
            "additionalProperties": {"bsonType": "object", "required": ["times", "last"]},
        },
        "counted": {"bsonType": "array", "maxItems": COUNTED_LIMIT},
    },
}

COLLECTIONS = (
    Collection("baskets", schema=BASKET_SCHEMA, shard_key=BY_ID),
    Collection(
        "tallies",
        indexes=(
            IndexModel(
                [*((field, ASCENDING) for field in SELLABLE), ("orders", DESCENDING), ("_id", ASCENDING)],
                name="sellable_by_orders",
            ),
            IndexModel(
                [*((field, ASCENDING) for field in SELLABLE), ("trend", DESCENDING), ("_id", ASCENDING)],
                name="sellable_by_trend",
            ),
        ),
        schema=TALLY_SCHEMA,
        shard_key=BY_ID,
    ),
    Collection("histories", schema=HISTORY_SCHEMA, shard_key=BY_ID),
)

# A product that nobody told us of is not recommended: it may have been sold once and for all, or never have arrived.
_BLANK_TALLY: Final[Document] = {
    "active": False,
    "version": 0,
    "inStock": False,
    "stockVersion": 0,
    "orders": 0,
    "weight": Int64(0),
    "weeks": {},
    "trend": 0.0,
    "together": {},
    "counted": [],
}
_BLANK_HISTORY: Final[Document] = {"bought": {}, "counted": []}


class MongoStore:
    """Implements :class:`subgraphs.recommendations.service.Store` over MongoDB."""

    def __init__(self, database: Database, prefix: str = "") -> None:
        self._baskets = database[f"{prefix}baskets"]
        self._tallies = database[f"{prefix}tallies"]
        self._histories = database[f"{prefix}histories"]

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
        # In order: a document is there before it is counted in.
        await self._histories.bulk_write(list(_history_updates(basket)))
        await self._tallies.bulk_write([*_blanks(basket.product_ids), *_tally_updates(basket)])
        await self._refresh_trends(basket.product_ids)

    async def settle_basket(self, order_id: str) -> None:
        """See :class:`Store`."""
        await self._baskets.update_one({"_id": order_id}, {"$set": {"settled": True}})

    async def note_product(self, news: ProductNews) -> None:
        """See :class:`Store`."""
        await self._note(news.product_id, "version", {"active": news.active, "version": news.version})

    async def note_stock(self, news: StockNews) -> None:
        """See :class:`Store`."""
        await self._note(news.product_id, "stockVersion", {"inStock": news.in_stock, "stockVersion": news.version})

    async def neighbourhoods(self, product_ids: Sequence[str]) -> dict[str, Neighbourhood]:
        """See :class:`Store`."""
        # Two finds by id rather than one $lookup, which servers run product by product.
        fields = {*SELLABLE, "weight", "together"}
        tallies = await self._read_tallies(product_ids, fields)
        companion_ids = {companion for tally in tallies for companion in tally["together"]}
        companions = await self._read_tallies(list(companion_ids), {*SELLABLE, "weight"}) if companion_ids else []
        weights = {companion["_id"]: companion["weight"] for companion in companions if _is_sellable(companion)}
        return {tally["_id"]: _neighbourhood(tally, weights) for tally in tallies}

    async def histories(self, customer_ids: Sequence[str]) -> dict[str, History]:
        """See :class:`Store`."""
        found = self._histories.find(
            {"_id": {"$in": list(customer_ids)}}, {"bought": 1}, batch_size=len(customer_ids) + 1
        )
        return {document["_id"]: _history(document) async for document in found}

    async def best_sellers(self, limit: int) -> list[str]:
        """See :class:`Store`."""
        return await self._sellable_by("orders", limit)

    async def trending(self, limit: int) -> list[str]:
        """See :class:`Store`."""
        return await self._sellable_by("trend", limit)

    async def import_model(self, model: Model) -> int:
        """See :class:`Store`."""
        tallies = [_tally_document(news, model) for news in model.products]
        histories = [_history_document(history) for history in model.histories.values()]
        baskets = [_basket_document(basket, settled=True) for basket in model.baskets]
        # Baskets last: they say that their tallies are complete.
        await insert_missing(self._tallies, tallies)
        await insert_missing(self._histories, histories)
        await insert_missing(self._baskets, baskets)
        return len(tallies) + len(histories) + len(baskets)

    async def _note(self, product_id: str, version: str, changes: Document) -> None:
        """Make ``changes`` unless what is known has a field ``version`` that is as high."""
        newer = UpdateOne({"_id": product_id, version: {"$lt": changes[version]}}, {"$set": changes})
        await self._tallies.bulk_write([*_blanks([product_id]), newer])

    async def _read_tallies(self, ids: Sequence[str], fields: Iterable[str]) -> list[Document]:
        # One batch, whatever the number: a second one would be a second round trip.
        found = self._tallies.find({"_id": {"$in": list(ids)}}, dict.fromkeys(fields, 1), batch_size=len(ids) + 1)
        return await found.to_list(None)

    async def _refresh_trends(self, product_ids: Sequence[str]) -> None:
        tallies = self._tallies.find({"_id": {"$in": list(product_ids)}}, {"orders": 1, "weeks": 1})
        await self._tallies.bulk_write([_trend_update(tally) async for tally in tallies], ordered=False)

    async def _sellable_by(self, count: str, limit: int) -> list[str]:
        sold = self._tallies.find(SELLABLE, {"_id": 1}).sort([(count, DESCENDING), ("_id", ASCENDING)])
        return [document["_id"] async for document in sold.limit(limit)]


@asynccontextmanager
async def store_beside(database: Database) -> AsyncIterator[tuple[MongoStore, Callable[[], Awaitable[None]]]]:
    """An empty store beside the one in use, and a function that puts it in its place; no trace if it is not called.

    Readers and writers go on meanwhile, and may see some collections of each for a moment. Baskets go last: one that is
    settled must be in the tallies beside it.
    """
    prefix = f"rebuild_{uuid4().hex[:8]}_"
    names = ("histories", "tallies", "baskets")

    async def put_in_place() -> None:
        with pymongo.timeout(COLLECTIONS_WITHIN_S):
            for name in names:
                await database[prefix + name].rename(name, dropTarget=True)

    try:
        with pymongo.timeout(COLLECTIONS_WITHIN_S):
            await prepare_collections(database, [replace(each, name=prefix + each.name) for each in COLLECTIONS])
        yield MongoStore(database, prefix), put_in_place
    finally:
        with pymongo.timeout(COLLECTIONS_WITHIN_S):
            for name in names:
                await database.drop_collection(prefix + name)


def _blanks(product_ids: Iterable[str]) -> Iterator[UpdateOne]:
    for product_id in product_ids:
        yield UpdateOne({"_id": product_id}, {"$setOnInsert": _BLANK_TALLY}, upsert=True)


def _tally_updates(basket: Basket) -> Iterator[UpdateOne]:
    weight, week = Int64(basket_weight(basket.confirmed_at)), week_of(basket.confirmed_at)
    increments: dict[str, Document] = {
        product_id: {"orders": 1, "weight": weight, f"weeks.{week}": 1} for product_id in basket.product_ids
    }
    for product_id, companion in pairs(basket):
        increments[product_id][f"together.{companion}"] = weight
    for product_id, increment in increments.items():
        yield _count_once(product_id, basket.order_id, {"$inc": increment})


def _history_updates(basket: Basket) -> Iterator[UpdateOne]:
    yield UpdateOne({"_id": basket.customer_id}, {"$setOnInsert": _BLANK_HISTORY}, upsert=True)
    times = {f"bought.{product_id}.times": 1 for product_id in basket.product_ids}
    last = {f"bought.{product_id}.last": basket.confirmed_at for product_id in basket.product_ids}
    yield _count_once(basket.customer_id, basket.order_id, {"$inc": times, "$max": last})


def _count_once(id_: str, order_id: str, change: Document) -> UpdateOne:
    remember = {"counted": {"$each": [order_id], "$slice": -COUNTED_LIMIT}}
    return UpdateOne({"_id": id_, "counted": {"$ne": order_id}}, {**change, "$push": remember})


def _trend_update(tally: Document) -> UpdateOne:
    return UpdateOne({"_id": tally["_id"], "orders": tally["orders"]}, {"$set": {"trend": _trend(tally["weeks"])}})


def _trend(weeks: Document) -> float:
    return trend({int(week): count for week, count in weeks.items()})


def _is_sellable(tally: Document) -> bool:
    return all(tally[field] is wanted for field, wanted in SELLABLE.items())


def _neighbourhood(tally: Document, weights: Mapping[str, int]) -> Neighbourhood:
    together = tally["together"]
    around = {companion: weights[companion] for companion in together if companion in weights}
    return Neighbourhood(tally["_id"], tally["weight"], together, around, _is_sellable(tally))


def _history(document: Document) -> History:
    bought = {id_: Purchases(purchases["times"], purchases["last"]) for id_, purchases in document["bought"].items()}
    return History(document["_id"], bought)


def _basket_document(basket: Basket, *, settled: bool) -> Document:
    return {
        "_id": basket.order_id,
        "customerId": basket.customer_id,
        "productIds": list(basket.product_ids),
        "confirmedAt": basket.confirmed_at,
        "settled": settled,
    }


def _tally_document(news: ProductNews, model: Model) -> Document:
    known = {"_id": news.product_id, **_BLANK_TALLY, "active": news.active, "version": news.version}
    if stock := model.stock.get(news.product_id):
        known |= {"inStock": stock.in_stock, "stockVersion": stock.version}
    tally = model.tallies.get(news.product_id)
    return known if tally is None else {**known, **_counts(tally)}


def _counts(tally: Tally) -> Document:
    weeks = {str(week): count for week, count in tally.weeks.items()}
    together = {companion: Int64(weight) for companion, weight in tally.together.items()}
    counts = {"orders": tally.orders, "weight": Int64(tally.weight), "weeks": weeks, "together": together}
    return {**counts, "trend": _trend(weeks)}


def _history_document(history: History) -> Document:
    bought = {id_: {"times": each.times, "last": each.last} for id_, each in history.bought.items()}
    return {"_id": history.customer_id, **_BLANK_HISTORY, "bought": bought}

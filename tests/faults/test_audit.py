"""The audit finds what is lost, doubled, stuck or wrong: books are tampered with, one entry at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.faults.audit import Finding, audit
from tests.faults.books import Books, Document
from tests.faults.ordeal import Report

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]


def of(documents: Sequence[Document], order_id: str) -> Document:
    return next(document for document in documents if document["orderId"] == order_id)


def lose_order(books: Books, order: Document) -> Books:
    return replace(books, orders=[each for each in books.orders if each is not order])


def double_order(books: Books, order: Document) -> Books:
    return replace(books, orders=[*books.orders, {**order, "_id": "ord_again"}])


def keep_order_waiting(books: Books, order: Document) -> Books:
    order["status"] = "PENDING"
    return books


def double_payment(books: Books, order: Document) -> Books:
    return replace(books, payments=[*books.payments, of(books.payments, order["_id"])])


def capture_too_early(books: Books, order: Document) -> Books:
    of(books.payments, order["_id"])["captured"]["amountMinor"] += 1
    return books


def lose_posting(books: Books, order: Document) -> Books:
    of(books.payments, order["_id"])["transactions"][0]["postings"].pop()
    return books


def double_shipment(books: Books, order: Document) -> Books:
    return replace(books, shipments=[*books.shipments, of(books.shipments, order["_id"])])


def lose_shipment(books: Books, order: Document) -> Books:
    return replace(books, shipments=[each for each in books.shipments if each["orderId"] != order["_id"]])


def lose_movement(books: Books, order: Document) -> Books:
    reservation = of(books.reservations, order["_id"])["_id"]
    return replace(books, movements=[each for each in books.movements if each["reference"] != reservation])


def release_stock(books: Books, order: Document) -> Books:
    of(books.reservations, order["_id"])["status"] = "RELEASED"
    return books


def lose_basket(books: Books, order: Document) -> Books:
    return replace(books, baskets=[each for each in books.baskets if each["_id"] != order["_id"]])


def count_basket_twice(books: Books, order: Document) -> Books:
    sold = next(tally for tally in books.tallies if tally["_id"] == order["lines"][0]["productId"])
    sold["orders"] += 1
    return books


def bury_event(books: Books, order: Document) -> Books:
    return replace(books, dead_letters=[*books.dead_letters, ("shipping", "evt_sound")])


def bury_misprint_twice(books: Books, order: Document) -> Books:
    return replace(books, dead_letters=[*books.dead_letters, books.dead_letters[0]])


def lose_misprint(books: Books, order: Document) -> Books:
    return replace(books, dead_letters=books.dead_letters[1:])


def skip_invoice(books: Books, order: Document) -> Books:
    return replace(books, invoices=books.invoices[1:])


@pytest.mark.parametrize(
    ("tamper", "kind", "words"),
    [
        (lose_order, "lost", "{id} was acknowledged and is not there"),
        (double_order, "doubled", "ord_again is there, and nobody placed it"),
        (keep_order_waiting, "stuck", "should be CONFIRMED"),
        (double_payment, "doubled", "{id} has 2 payments"),
        (capture_too_early, "doubled", "captured: 1, not 0"),
        (lose_posting, "wrong", "its ledger adds up to"),
        (double_shipment, "doubled", "in parcels"),
        (lose_shipment, "lost", "in parcels: 0, not"),
        (lose_movement, "lost", "held: 0, not"),
        (release_stock, "stuck", "its reservation is RELEASED, not HELD"),
        (lose_basket, "lost", "{id} was confirmed, and is no basket"),
        (count_basket_twice, "doubled", "in its tally"),
        (bury_event, "lost", "evt_sound is a dead letter of shipping"),
        (bury_misprint_twice, "doubled", "once more"),
        (lose_misprint, "lost", "is no dead letter of"),
        (skip_invoice, "lost", "captures have invoices"),
    ],
)
def test_the_audit_finds_it(report: Report, tamper: Callable[[Books, Document], Books], kind: str, words: str) -> None:
    books = copy.deepcopy(report.books)
    ids = {each.order_id for each in report.placed}
    order = next(each for each in books.orders if each["_id"] in ids and each["status"] == "CONFIRMED")
    findings = audit(tamper(books, order), report.placed, report.known_before, report.misprints)
    wanted = words.format(id=order["_id"])
    assert any(finding.kind == kind and wanted in finding.what for finding in findings), _told(findings)


def _told(findings: Sequence[Finding]) -> str:
    return "\n".join(f"{finding.kind}: {finding.what}" for finding in findings)

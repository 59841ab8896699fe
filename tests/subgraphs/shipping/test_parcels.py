"""What goes into which parcel: one for each warehouse, and one for each return."""

from __future__ import annotations

from dataclasses import replace

from subgraphs.shipping.domain import Direction, OrderLine, Parcel, ParcelLine, ReturnRequest, ShipmentStatus
from subgraphs.shipping.parcels import new_return, new_shipments
from tests.subgraphs.shipping.examples import NOW, ORDER, PARCEL, SPLIT

MUG, LAMP = ("MUG-001", 360), ("LMP-001", 1200)


def line(product: tuple[str, int], quantity: int) -> ParcelLine:
    return ParcelLine(product[0], quantity, product[1])


def test_an_order_from_two_warehouses_travels_in_two_parcels() -> None:
    shipments = new_shipments(SPLIT, NOW)
    assert [(each.id, each.parcel) for each in shipments] == [
        ("shp_1_ber", Parcel("BER", (line(MUG, 1),), 1, 2)),
        ("shp_1_par", Parcel("PAR", (line(MUG, 1), line(LAMP, 1)), 2, 2)),
    ]
    assert {each.status for each in shipments} == {ShipmentStatus.PENDING}
    assert new_shipments(SPLIT, NOW) == shipments


def test_an_order_of_unknown_warehouses_travels_in_one_parcel() -> None:
    (shipment,) = new_shipments(ORDER, NOW)
    assert (shipment.id, shipment.parcel) == ("shp_1", PARCEL)


def test_pieces_that_nobody_allocated_go_along_with_the_first_parcel() -> None:
    lines = (OrderLine("MUG-001", 3, 360, (("PAR", 1), ("BER", 1))), OrderLine("LMP-001", 1, 1200))
    packed = [each.parcel for each in new_shipments(replace(ORDER, lines=lines), NOW)]
    assert packed == [Parcel("BER", (line(MUG, 2), line(LAMP, 1)), 1, 2), Parcel("PAR", (line(MUG, 1),), 2, 2)]


def test_a_return_goes_to_the_warehouse_that_sent_most_of_it() -> None:
    sent = new_shipments(SPLIT, NOW)
    lamp = new_return(ReturnRequest("ord_1", "ret_9", (("LMP-001", 1),)), sent, NOW)
    assert (lamp.id, lamp.direction, lamp.order_number) == ("shp_9", Direction.RETURN, "G-2026-000001")
    assert lamp.parcel == Parcel("PAR", (line(LAMP, 1),), return_id="ret_9")
    mug = new_return(ReturnRequest("ord_1", "ret_8", (("MUG-001", 1),)), (*sent, lamp), NOW)
    assert mug.parcel == Parcel("BER", (line(MUG, 1),), return_id="ret_8")


def test_a_return_goes_to_who_sent_it_and_not_to_where_an_earlier_return_went() -> None:
    lines = (OrderLine("MUG-001", 5, 360, (("BER", 3), ("PAR", 2))), OrderLine("LMP-001", 6, 1200, (("PAR", 6),)))
    sent = new_shipments(replace(SPLIT, lines=lines), NOW)
    first = new_return(ReturnRequest("ord_1", "ret_8", (("MUG-001", 4), ("LMP-001", 6))), sent, NOW)
    second = new_return(ReturnRequest("ord_1", "ret_9", (("MUG-001", 1),)), (*sent, first), NOW)
    assert (first.parcel.warehouse, second.parcel.warehouse) == ("PAR", "BER")


def test_a_warehouse_that_gives_nothing_sends_no_parcel() -> None:
    lines = (OrderLine("MUG-001", 1, 360, (("BER", 1), ("PAR", 0))),)
    packed = [each.parcel for each in new_shipments(replace(SPLIT, lines=lines), NOW)]
    assert packed == [Parcel("BER", (line(MUG, 1),), 1, 1)]

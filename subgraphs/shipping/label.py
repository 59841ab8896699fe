"""Labels: what is stuck on a parcel, in ZPL II, the language of label printers; and ``GET /labels/{shipment id}``.

A label is small whatever is in it: each line is cut at ``MAX_LINE`` characters, and nothing that a customer wrote can
become a command of the printer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.http.http_route import HttpRoute
from subgraphs.chassis.identity.auth import require_scope
from subgraphs.shipping.domain import Address, Direction, Shipment
from subgraphs.shipping.service import Shipping

MAX_LINE = 40
SCOPE = "shipping:write"
_COMMANDS = str.maketrans({"^": "_5E", "~": "_7E", "_": "_5F", "\\": "_5C"})


def label_path(shipment: Shipment) -> str | None:
    """Where this service has the label of a shipment; None until a carrier has taken the booking."""
    return f"/labels/{shipment.id}" if shipment.tracking_number else None


def print_label(shipment: Shipment) -> str:
    """The label of a booked shipment: 4 x 6 inches at 203 dots per inch, with its tracking number as Code 128."""
    fields = [f"^FO40,{40 + 44 * row}^A0N,36,36^FH_^FD{_safe(line)}^FS" for row, line in enumerate(_lines(shipment))]
    barcode = f"^FO40,900^BY3^BCN,160,Y,N,N^FH_^FD{_safe(shipment.tracking_number or '')}^FS"
    return "\n".join(["^XA", "^CI28", "^PW812", "^LL1218", *fields, barcode, "^XZ", ""])


async def serve_label(request: Request, context: RequestContext[Shipping, Any]) -> Response:
    """Answer with the label, for staff; raises CodedError UNAUTHENTICATED, FORBIDDEN or NOT_FOUND."""
    require_scope(context.auth, SCOPE)
    shipment_id = request.path_params["shipment_id"]
    shipment = (await context.service.store.shipments([shipment_id])).get(shipment_id)
    if shipment is None or label_path(shipment) is None:
        raise CodedError("NOT_FOUND", "There is no booked shipment of that id.")
    headers = {"content-disposition": f'attachment; filename="{shipment.id}.zpl"', "cache-control": "no-store"}
    return Response(print_label(shipment), media_type="application/zpl", headers=headers)


LABEL_ROUTE: HttpRoute[Shipping, Any] = HttpRoute("GET", "/labels/{shipment_id}", serve_label)


def _lines(shipment: Shipment) -> Iterator[str]:
    parcel = shipment.parcel
    warehouse = [f"Galleria {parcel.warehouse or 'warehouse'}"]
    customer = list(_address_lines(shipment.address))
    returned = shipment.direction is Direction.RETURN
    yield f"{shipment.carrier}  {'RETURN' if returned else ''}".strip()
    yield f"Order {shipment.order_number}  parcel {parcel.index} of {parcel.count}"
    yield f"{shipment.weight_grams / 1000:.2f} kg"
    yield "FROM"
    yield from customer if returned else warehouse
    yield "TO"
    yield from warehouse if returned else customer


def _address_lines(address: Address) -> Iterator[str]:
    yield address.name
    yield address.line1
    if address.line2:
        yield address.line2
    yield f"{address.postal_code} {address.city}"
    yield address.country_code


def _safe(text: str) -> str:
    """``text`` as printable characters of one line, with everything that begins a command as hex."""
    printable = "".join(character if character.isprintable() else " " for character in text[:MAX_LINE])
    return printable.translate(_COMMANDS)

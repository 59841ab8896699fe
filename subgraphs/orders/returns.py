"""Returns: what a customer may send back of a delivered order, and what they get for it.

::

    request_return(order, request, at) -> the order with one more Return, whose refund is due when the goods are back
    receive_return(order, return_id, at) -> the order that has them back; RETURNED when that is everything
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from subgraphs.orders.changes import move
from subgraphs.orders.domain import Money, Order, Return, ReturnLine, ReturnStatus, digest, sum_up
from subgraphs.orders.order_life import Occurrence, next_stage
from subgraphs.orders.refusal import Problem, RefusalError, check_reason, find_key_problem

MAX_RETURNS = 100


@dataclass(frozen=True, slots=True)
class ReturnRequest:
    """What a customer wants to send back; ``lines`` is None for all that they still have."""

    lines: tuple[ReturnLine, ...] | None
    reason: str
    idempotency_key: str


def request_return(order: Order, request: ReturnRequest, at: datetime) -> Order:
    """The order with one more return; the same one where this was requested before under the same key.

    Raises RefusalError with REASON_INVALID, IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_REUSED, the code of a stage in
    which nothing can be returned, TOO_MANY_RETURNS, RETURN_EMPTY, PRODUCT_NOT_IN_ORDER, PRODUCT_REPEATED,
    RETURN_QUANTITY_INVALID and NOTHING_TO_RETURN.
    """
    request = _check_form(request)
    earlier = find_return(order, return_id(order.id, request.idempotency_key))
    if earlier:
        if earlier.fingerprint != _fingerprint(request):
            message = "Something else was returned under this key; use a new key."
            raise RefusalError(Problem("IDEMPOTENCY_KEY_REUSED", message, "idempotencyKey"))
        return order
    next_stage(order.stage, Occurrence.RETURN_REQUESTED)
    lines = _lines_to_return(order, request)
    requested = Return(
        id=return_id(order.id, request.idempotency_key),
        lines=lines,
        refund=_refund(order, lines),
        reason=request.reason,
        requested_at=at,
        fingerprint=_fingerprint(request),
    )
    return move(replace(order, returns=(*order.returns, requested)), Occurrence.RETURN_REQUESTED, at)


def receive_return(order: Order, known_id: str, at: datetime) -> Order:
    """The order whose return has arrived in a warehouse; unchanged where that is known, or the return is not."""
    known = find_return(order, known_id)
    if known is None or known.status is ReturnStatus.RECEIVED:
        return order
    received = replace(known, status=ReturnStatus.RECEIVED, received_at=at)
    after = replace(order, returns=tuple(received if each.id == known_id else each for each in order.returns))
    back = _pieces(each for each in after.returns if each.status is ReturnStatus.RECEIVED)
    everything = all(back[line.product_id] >= line.quantity for line in order.lines)
    return move(after, Occurrence.LAST_RETURN_RECEIVED if everything else Occurrence.RETURN_RECEIVED, at)


def find_return(order: Order, known_id: str) -> Return | None:
    """The return of that id."""
    return next((each for each in order.returns if each.id == known_id), None)


def returnable(order: Order) -> Mapping[str, int]:
    """How many pieces of each product can still be returned, by product; products without any are left out."""
    returned = _pieces(order.returns)
    left = {line.product_id: line.quantity - returned[line.product_id] for line in order.lines}
    return {product_id: quantity for product_id, quantity in left.items() if quantity > 0}


def return_id(order_id: str, idempotency_key: str) -> str:
    """The id of the return that is requested under that key: derived, so that a repeat cannot make a second one."""
    return f"ret_{digest([order_id, idempotency_key])}"


def _check_form(request: ReturnRequest) -> ReturnRequest:
    if problem := find_key_problem(request.idempotency_key):
        raise RefusalError(problem)
    return replace(request, reason=check_reason(request.reason))


def _lines_to_return(order: Order, request: ReturnRequest) -> tuple[ReturnLine, ...]:
    left = returnable(order)
    if not left:
        raise RefusalError(Problem("NOTHING_TO_RETURN", "Everything of this order is on its way back already."))
    if len(order.returns) >= MAX_RETURNS:
        message = f"An order can have at most {MAX_RETURNS} returns."
        raise RefusalError(Problem("TOO_MANY_RETURNS", message))
    if request.lines is None:
        return tuple(ReturnLine(product_id, quantity) for product_id, quantity in left.items())
    problems = tuple(_line_problems(order, request.lines, left))
    if problems:
        raise RefusalError(*problems)
    return request.lines


def _line_problems(order: Order, lines: tuple[ReturnLine, ...], left: Mapping[str, int]) -> Iterable[Problem]:
    if not lines:
        yield Problem("RETURN_EMPTY", "Name at least one line, or none at all to return everything.", "lines")
    ordered = {line.product_id for line in order.lines}
    seen = set[str]()
    for index, line in enumerate(lines[: len(ordered) + 1]):
        if line.product_id not in ordered:
            yield Problem("PRODUCT_NOT_IN_ORDER", "This product is not in the order.", f"lines.{index}.productId")
        elif line.product_id in seen:
            message = f"{line.product_id} has a line already; put the whole quantity there."
            yield Problem("PRODUCT_REPEATED", message, f"lines.{index}.productId")
        elif not 1 <= line.quantity <= left.get(line.product_id, 0):
            message = f"{left.get(line.product_id, 0)} of {line.product_id} can still be returned."
            yield Problem("RETURN_QUANTITY_INVALID", message, f"lines.{index}.quantity")
        seen.add(line.product_id)


def _refund(order: Order, lines: Iterable[ReturnLine]) -> Money:
    """What the pieces cost; the shipping fee too where everything comes back in one go."""
    quantities = {line.product_id: line.quantity for line in lines}
    everything = all(quantities.get(line.product_id, 0) == line.quantity for line in order.lines)
    pieces = sum_up(line.unit_price * quantities.get(line.product_id, 0) for line in order.lines)
    return pieces + order.shipping_fee if everything else pieces


def _pieces(returns: Iterable[Return]) -> Counter[str]:
    pieces = Counter[str]()
    for each in returns:
        pieces.update({line.product_id: line.quantity for line in each.lines})
    return pieces


def _fingerprint(request: ReturnRequest) -> str:
    lines = request.lines and [[line.product_id, line.quantity] for line in request.lines]
    return digest([lines, request.reason])

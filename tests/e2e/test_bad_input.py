"""What a client can get wrong at the router: each has its code, and changes nothing."""

from __future__ import annotations

import pytest

from tests.mall import Json, RunningMall

pytestmark = [pytest.mark.xdist_group("mall"), pytest.mark.timeout(300)]
ORDER_OF_SOMEONE = "{ orders(first: 100) { edges { node { id payment { id } shipment { id } customer { id } } } } }"


def codes(response: Json) -> set[str]:
    return {error["extensions"]["code"] for error in response["errors"]}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ('{ orders(first: 2, after: "garbage") { edges { cursor } } }', "INVALID_CURSOR"),
        ("{ orders(first: 100000) { edges { cursor } } }", "PAGE_SIZE_TOO_LARGE"),
        ('{ products(first: 2, after: "garbage") { edges { cursor } } }', "INVALID_CURSOR"),
        ("{ products(first: 100000) { edges { cursor } } }", "PAGE_SIZE_TOO_LARGE"),
        ("{ trending(first: 100000) { id } }", "PAGE_SIZE_TOO_LARGE"),
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ orders(first: ", "GRAPHQL_PARSE_FAILED"),
    ],
)
def test_a_query_that_is_wrong_says_so_with_its_code(mall: RunningMall, query: str, code: str) -> None:
    assert codes(mall.ask(query, "staff")) == {code}


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"query": ', "application/json", 400, "INVALID_JSON"),
        (b'{"query": "{ __typename }"}', "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            b'{"query": "query A { __typename }", "operationName": "B"}',
            "application/json",
            200,
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            b'{"query": "{ __typename }", "variables": {"x": "' + b"x" * 5_000_000 + b'"}}',
            "application/json",
            413,
            "REQUEST_TOO_LARGE",
        ),
    ],
    ids=["malformed JSON", "content type", "operation name", "5 MB"],
)
def test_a_request_that_is_wrong_says_so_with_its_code(
    mall: RunningMall, body: bytes, content_type: str, status: int, code: str
) -> None:
    response = mall.client.post(mall.url("router"), content=body, headers={"content-type": content_type})
    assert (response.status_code, codes(response.json())) == (status, {code})


def test_an_order_of_someone_else_is_like_one_that_does_not_exist(mall: RunningMall) -> None:
    edges = mall.data(ORDER_OF_SOMEONE, "staff")["orders"]["edges"]
    other = next(e["node"] for e in edges if e["node"]["customer"]["id"] != "cus_ada" and e["node"]["shipment"])
    query = "query ($o: ID!, $p: ID!, $s: ID!) { order(id: $o) { id } payment(id: $p) { id } shipment(id: $s) { id } }"
    theirs = mall.data(query, "customer", o=other["id"], p=other["payment"]["id"], s=other["shipment"]["id"])
    assert theirs == mall.data(query, "customer", o="ord_none", p="pay_none", s="shp_none")
    assert theirs == {"order": None, "payment": None, "shipment": None}


def test_cancelling_an_order_of_someone_else_changes_nothing(mall: RunningMall) -> None:
    edges = mall.data("{ orders(first: 100, status: CONFIRMED) { edges { node { id customer { id } } } } }", "staff")
    other = next(e["node"]["id"] for e in edges["orders"]["edges"] if e["node"]["customer"]["id"] != "cus_ada")
    cancel = 'mutation ($id: ID!) { cancelOrder(id: $id, reason: "mine!") { order { id } userErrors { code } } }'
    payload = mall.data(cancel, "customer", id=other)["cancelOrder"]
    unknown = mall.data(cancel, "customer", id="ord_none")["cancelOrder"]
    assert payload == unknown
    assert payload["order"] is None
    assert (
        mall.data("query ($id: ID!) { order(id: $id) { status } }", "staff", id=other)["order"]["status"] == "CONFIRMED"
    )


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("1.00", "USD", "CURRENCY_NOT_SUPPORTED"),
        ("0", "EUR", "AMOUNT_NOT_POSITIVE"),
        ("999999.00", "EUR", "REFUND_EXCEEDS_CAPTURED"),
    ],
)
def test_a_refund_that_is_wrong_is_refused_and_moves_no_money(
    mall: RunningMall, amount: str, currency: str, code: str
) -> None:
    query = "{ orders(first: 1, status: DELIVERED) { edges { node { payment { id status refunded { amount } } } } } }"
    payment = mall.data(query, "staff")["orders"]["edges"][0]["node"]["payment"]
    refund = """
    mutation ($id: ID!, $amount: MoneyInput!) {
      refundPayment(paymentId: $id, amount: $amount, reason: "broken", idempotencyKey: "bad-refund-0001") {
        payment { id } userErrors { code }
      }
    }
    """
    money = {"amount": amount, "currencyCode": currency}
    payload = mall.data(refund, "staff", id=payment["id"], amount=money)["refundPayment"]
    assert [error["code"] for error in payload["userErrors"]] == [code]
    assert mall.data(query, "staff")["orders"]["edges"][0]["node"]["payment"] == payment


def test_a_customer_may_not_refund(mall: RunningMall) -> None:
    response = mall.ask(
        'mutation { refundPayment(paymentId: "pay_x", amount: {amount: "1", currencyCode: "EUR"}, reason: "r",'
        ' idempotencyKey: "kkkkkkkk") { userErrors { code } } }',
        "customer",
    )
    assert codes(response) == {"FORBIDDEN"}


def test_a_forged_token_is_refused(mall: RunningMall) -> None:
    token = mall.token("staff")
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    body = {"query": "{ orders(first: 1) { edges { cursor } } }"}
    response = mall.client.post(mall.url("router"), json=body, headers={"authorization": f"Bearer {forged}"}).json()
    assert codes(response) == {"UNAUTHENTICATED"}

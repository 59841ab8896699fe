"""Requests to subgraphs are signed as docs/signatures.md says, so that a subgraph in any language can tell."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from router.execution.subgraph_client import Headers, SubgraphRequest
from router.execution.traffic.departure import DepartingClient
from router.execution.traffic.signature import Keyed, RequestSigner, Signing
from router.execution.traffic.timeout import TimeoutTelling
from router.execution.uploads import SentFile, UploadedFile
from tests.execution.traffic.clients import QUERY, ObedientClient

DOCUMENT = (Path(__file__).parents[3] / "docs" / "signatures.md").read_text()
SECRET = b"an-example-secret-of-forty-characters-00"
SIGNING = Signing("2026-01", SECRET, frozenset({b"authorization", b"x-user-id"}))
BODY = b'{"query":"{ orders { id } }"}'
TOKEN: Headers = ((b"authorization", b"Bearer abc"),)


def signer(subgraph: str = "orders", target: str = "/graphql") -> RequestSigner:
    return RequestSigner(SIGNING, subgraph, target, lambda: 1767225600.9)


def by_name(headers: Headers) -> Mapping[str, str]:
    names = [name for name, _ in headers]
    assert len(set(names)) == len(names)
    return {name.decode(): value.decode() for name, value in headers}


def test_the_example_of_the_document_which_openssl_made() -> None:
    headers = by_name(signer().signed("POST", TOKEN, BODY))
    assert headers == {
        "authorization": "Bearer abc",
        "content-digest": "sha-256=:DhAZ0uF04X9MvxH5FE6dtrvwpqEoVTvMjfVr+Gb0N6c=:",
        "signature-input": 'galleria=("@method" "@path" "content-digest" "authorization")'
        ';created=1767225600;keyid="2026-01";alg="hmac-sha256";tag="orders"',
        "signature": "galleria=:HzqG4IVr5XUCEic5yZihiJPpveryM+kfCSwvv2IPe0Y=:",
    }
    for name, value in headers.items():
        assert f"\n{name}: {value}\n" in DOCUMENT
    assert SECRET.decode() in DOCUMENT


def test_a_handshake_with_a_query_and_a_name_beyond_ascii() -> None:
    headers = by_name(signer("größe", "/graph?a=1&b=%20").signed("GET", (), None))
    parameters = (
        '("@method" "@path" "@query");created=1767225600;keyid="2026-01";alg="hmac-sha256";tag="gr%C3%B6%C3%9Fe"'
    )
    text = f'"@method": GET\n"@path": /graph\n"@query": ?a=1&b=%20\n"@signature-params": {parameters}'
    expected = base64.b64encode(hmac.new(SECRET, text.encode(), hashlib.sha256).digest()).decode()
    assert headers == {"signature-input": f"galleria={parameters}", "signature": f"galleria=:{expected}:"}


def test_a_form_with_files_has_no_digest_because_it_is_read_while_it_is_sent() -> None:
    files = (SentFile(UploadedFile("a.txt", "text/plain", 1, io.BytesIO(b"x")), ("variables.file",)),)
    headers = by_name(signer()(SubgraphRequest("orders", BODY, TOKEN, repeatable=False, files=files), ()))
    parameters = '("@method" "@path" "authorization");created=1767225600;keyid="2026-01";alg="hmac-sha256";tag="orders"'
    text = f'"@method": POST\n"@path": /graphql\n"authorization": Bearer abc\n"@signature-params": {parameters}'
    expected = base64.b64encode(hmac.new(SECRET, text.encode(), hashlib.sha256).digest()).decode()
    assert headers == {"signature-input": f"galleria={parameters}", "signature": f"galleria=:{expected}:"}


@pytest.mark.parametrize("secret_bytes", [32, 63, 64, 65, 200])
def test_a_code_is_that_of_the_standard_library_for_a_secret_of_any_length(secret_bytes: int) -> None:
    secret = bytes(range(secret_bytes))
    keyed = Keyed(secret)
    for text in (b"", b"one", b"x" * 1000):
        assert keyed.digest(text) == hmac.digest(secret, text, "sha256")


def test_headers_that_tell_who_asks_are_signed_and_no_others() -> None:
    sent: Headers = ((b"X-User-Id", b"ada "), (b"x-request-id", b"1"), (b"x-user-id", b"eve"))
    headers = dict(signer().signed("POST", sent, BODY))
    parameters = headers[b"signature-input"].decode().removeprefix("galleria=")
    assert parameters.startswith('("@method" "@path" "content-digest" "x-user-id");')
    digest = headers[b"content-digest"].decode()
    text = (
        f'"@method": POST\n"@path": /graphql\n"content-digest": {digest}\n"x-user-id": ada, eve\n'
        f'"@signature-params": {parameters}'
    )
    expected = base64.b64encode(hmac.new(SECRET, text.encode(), hashlib.sha256).digest())
    assert headers[b"signature"] == b"galleria=:%b:" % expected


@pytest.mark.asyncio
async def test_each_try_is_signed_anew_and_the_secret_is_in_no_repr() -> None:
    inner, now = ObedientClient(), iter([1.0, 2.0])
    client = DepartingClient(inner, [RequestSigner(SIGNING, "stock", "/", lambda: next(now))])
    await client.send(QUERY)
    await client.send(QUERY)
    created = [dict(request.headers)[b"signature-input"].split(b";")[1] for request in inner.sent]
    assert created == [b"created=1", b"created=2"]
    assert inner.sent[0].body == QUERY.body
    await client.close()
    assert inner.is_closed
    assert "secret" not in repr(SIGNING).replace("secret=", "")


@pytest.mark.asyncio
@pytest.mark.parametrize(("left_s", "told"), [(1.5, b"1500"), (0.0004, b"0"), (-1, b"0"), (30, b"30000")])
async def test_a_subgraph_is_told_how_many_milliseconds_are_left(left_s: float, told: bytes) -> None:
    inner = ObedientClient()
    client = DepartingClient(inner, [TimeoutTelling(b"x-request-timeout-ms")])
    await client.send(SubgraphRequest("stock", b"{}", ((b"a", b"b"),), timeout_s=left_s))
    await client.close()
    assert inner.sent[0].headers == ((b"a", b"b"), (b"x-request-timeout-ms", told))
    assert inner.is_closed

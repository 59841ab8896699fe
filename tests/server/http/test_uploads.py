"""Files by the GraphQL multipart request specification: taken where allowed, passed on to those who own the field."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from router import Subgraph, compose
from router.server.app import create_app
from router.server.config import RouterConfig, UploadSettings
from router.server.graphs.graph import open_graph
from router.supergraph.read import read_supergraph
from tests.server.shop import client_of, codes
from tests.server.subscriptions.live import serve

PHOTOS = """
scalar Upload
type Query { photos: Int }
type Mutation { add(photo: Upload, photos: [Upload!], album: Album): Int }
input Album { cover: Upload title: String }
"""
TEXTS = "type Query { texts: Int } type Mutation { note(text: String): Int }"
ALLOWED = UploadSettings(enabled=True, max_files=2, max_file_bytes=3_000_000)
PREFLIGHT = {"apollo-require-preflight": "1"}
ADD = "mutation($photo: Upload) { add(photo: $photo) }"


@dataclass(slots=True)
class Received:
    """What the subgraphs got: GraphQL requests, maps, and files by their names in the form."""

    operations: list[Any] = field(default_factory=list)
    maps: list[Any] = field(default_factory=list)
    files: list[dict[str, tuple[str | None, str | None, bytes]]] = field(default_factory=list)
    preflights: list[str | None] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        if request.headers["content-type"] == "application/json":
            self.operations.append(await request.json())
            return JSONResponse({"data": {"note": 1, "photos": 1}})
        self.preflights.append(request.headers.get("apollo-require-preflight"))
        async with request.form() as form:
            self.operations.append(json.loads(str(form["operations"])))
            self.maps.append(json.loads(str(form["map"])))
            files = {name: file for name, file in form.items() if isinstance(file, UploadFile)}
            self.files.append({n: (f.filename, f.content_type, await f.read()) for n, f in files.items()})
        return JSONResponse({"data": {"add": 1}})


@dataclass(slots=True)
class Router:
    client: httpx.AsyncClient
    received: Received

    async def send(
        self,
        operations: object,
        places: object,
        files: dict[str, tuple[str, bytes, str]],
        headers: dict[str, str] = PREFLIGHT,
    ) -> httpx.Response:
        fields = {"operations": json.dumps(operations), "map": json.dumps(places)}
        return await self.client.post("/graphql", data=fields, files=files, headers=headers)

    async def add(self, content: bytes = b"\x89PNG", **headers: str) -> httpx.Response:
        operations = {"query": ADD, "variables": {"photo": None}}
        files = {"0": ("mug.png", content, "image/png")}
        return await self.send(operations, {"0": ["variables.photo"]}, files, PREFLIGHT | headers)


@asynccontextmanager
async def router(settings: UploadSettings = ALLOWED) -> AsyncIterator[Router]:
    """A router over two subgraphs that keep what they get."""
    received = Received()
    subgraphs = await serve(Starlette(routes=[Route("/graphql", received.take, methods=["POST"])]))
    url = f"http://{subgraphs.address}/graphql"
    sdl = compose([Subgraph("photos", url, PHOTOS), Subgraph("texts", url, TEXTS)]).supergraph_sdl
    assert sdl is not None
    config = RouterConfig(uploads=settings)
    graph = open_graph(read_supergraph(sdl), config)
    try:
        async with client_of(create_app(config, graph)) as client:
            yield Router(client, received)
    finally:
        await graph.client.close()
        await subgraphs.stop()


@pytest.mark.asyncio
async def test_a_file_reaches_the_subgraph_that_owns_the_field() -> None:
    async with router() as one:
        response = await one.add()
        assert response.json() == {"data": {"add": 1}}
        assert one.received.operations[0]["variables"] == {"photo": None}
        assert one.received.maps == [{"0": ["variables.photo"]}]
        assert one.received.files == [{"0": ("mug.png", "image/png", b"\x89PNG")}]
        assert one.received.preflights == ["true"]


@pytest.mark.asyncio
async def test_other_subgraphs_of_the_operation_get_no_files() -> None:
    async with router() as one:
        query = "mutation($photo: Upload, $t: String) { note(text: $t) add(photo: $photo) }"
        operations = {"query": query, "variables": {"photo": None, "t": "new"}}
        response = await one.send(operations, {"0": ["variables.photo"]}, {"0": ("a", b"a", "image/png")})
        assert response.json() == {"data": {"note": 1, "add": 1}}
        assert [sent["variables"] for sent in one.received.operations] == [{"t": "new"}, {"photo": None}]
        assert len(one.received.files) == 1


@pytest.mark.asyncio
async def test_lists_input_objects_and_one_file_in_two_places() -> None:
    async with router() as one:
        query = "mutation($p: [Upload!], $a: Album) { add(photos: $p, album: $a) }"
        operations = {"query": query, "variables": {"p": [None, None], "a": {"cover": None, "title": "Mugs"}}}
        places = {"x": ["variables.p.0", "variables.a.cover"], "y": ["variables.p.1"]}
        files = {"x": ("x.png", b"x", "image/png"), "y": ("y.png", b"y", "image/png")}
        response = await one.send(operations, places, files)
        assert response.json() == {"data": {"add": 1}}
        assert one.received.operations[0]["variables"] == operations["variables"]
        assert one.received.maps == [{"0": ["variables.p.0", "variables.a.cover"], "1": ["variables.p.1"]}]
        assert one.received.files[0]["1"] == ("y.png", "image/png", b"y")


@pytest.mark.asyncio
async def test_a_file_that_is_larger_than_memory_holds_of_it_arrives_whole() -> None:
    content = bytes(range(256)) * 10_000
    async with router() as one:
        assert (await one.add(content)).json() == {"data": {"add": 1}}
        assert one.received.files[0]["0"][2] == content


@pytest.mark.asyncio
async def test_files_are_refused_by_default() -> None:
    async with router(UploadSettings()) as one:
        response = await one.add()
        assert (response.status_code, codes(response)) == (400, ["UPLOADS_DISABLED"])
        assert one.received.operations == []


@pytest.mark.asyncio
async def test_a_form_as_a_web_page_can_send_it_is_refused() -> None:
    async with router() as one:
        operations = {"query": ADD, "variables": {"photo": None}}
        response = await one.send(operations, {"0": ["variables.photo"]}, {"0": ("a", b"a", "text/plain")}, {})
        assert (response.status_code, codes(response)) == (400, ["PREFLIGHT_REQUIRED"])
        assert one.received.operations == []


@pytest.mark.asyncio
async def test_a_file_beyond_the_limit_is_refused() -> None:
    async with router(UploadSettings(enabled=True, max_file_bytes=10)) as one:
        response = await one.add(b"12345678901")
        assert (response.status_code, codes(response)) == (413, ["REQUEST_TOO_LARGE"])
        assert response.json()["errors"][0]["message"] == "The file '0' is larger than 10 bytes."
        response = await one.add(b"x" * 1_200_000)
        assert (response.status_code, codes(response)) == (413, ["REQUEST_TOO_LARGE"])
        assert response.json()["errors"][0]["message"] == "The form is larger than 1065636 bytes."
        assert one.received.operations == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("operations", "places", "message"),
    [
        ([{"query": ADD}], {}, "The request is not a JSON object."),
        ({"query": ADD}, [], "The field 'map' is not a JSON object."),
        ({"query": ADD}, {"1": ["variables.photo"]}, "The form has no file '1', which the field 'map' names."),
        ({"query": ADD}, {"0": "variables.photo"}, "The field 'map' has no list of paths for the file '0'."),
        ({"query": ADD}, {"0": ["photo"]}, "The path 'photo' of the field 'map' does not lead into the variables."),
        (
            {"query": ADD},
            {"0": ["variables.photo"]},
            "There is no null at the path 'variables.photo' of the field 'map'.",
        ),
        (
            {"query": ADD, "variables": {"photo": "x"}},
            {"0": ["variables.photo"]},
            "There is no null at the path 'variables.photo' of the field 'map'.",
        ),
        (
            {"query": ADD, "variables": {"photo": []}},
            {"0": ["variables.photo.7.x"]},
            "There is no null at the path 'variables.photo.7.x' of the field 'map'.",
        ),
    ],
)
async def test_a_form_that_does_not_fit_is_refused_with_the_reason(
    operations: object, places: object, message: str
) -> None:
    async with router() as one:
        response = await one.send(operations, places, {"0": ("a", b"a", "image/png")})
        assert (response.status_code, codes(response)) == (400, ["INVALID_REQUEST"])
        assert response.json()["errors"][0]["message"] == message
        assert one.received.operations == []


@pytest.mark.asyncio
async def test_the_type_of_a_form_is_one_in_any_case() -> None:
    parts = {
        b'name="operations"': b'{"query":"%b","variables":{"photo":null}}' % ADD.encode(),
        b'name="map"': b'{"0":["variables.photo"]}',
        b'name="0"; filename="mug.png"': b"PNG",
    }
    lines = [b"--x\r\ncontent-disposition: form-data; %b\r\n\r\n%b\r\n" % part for part in parts.items()]
    content = b"".join([*lines, b"--x--\r\n"])
    async with router() as one:
        headers = {"content-type": "Multipart/Form-Data; boundary=x", **PREFLIGHT}
        response = await one.client.post("/graphql", content=content, headers=headers)
        assert response.json() == {"data": {"add": 1}}


@pytest.mark.asyncio
@pytest.mark.parametrize("content", [b"", b"--x\r\n", b"--x\r\nno header"])
async def test_what_is_no_form_is_refused(content: bytes) -> None:
    async with router() as one:
        headers = {"content-type": "multipart/form-data; boundary=x", **PREFLIGHT}
        response = await one.client.post("/graphql", content=content, headers=headers)
        assert (response.status_code, codes(response)) == (400, ["INVALID_REQUEST"])
        headers = {"content-type": "multipart/form-data", **PREFLIGHT}
        response = await one.client.post("/graphql", content=content, headers=headers)
        assert (response.status_code, codes(response)) == (400, ["INVALID_REQUEST"])


@pytest.mark.asyncio
async def test_a_file_where_no_file_belongs_is_the_clients_fault() -> None:
    async with router() as one:
        operations = {"query": "mutation($t: String) { note(text: $t) }", "variables": {"t": None}}
        response = await one.send(operations, {"0": ["variables.t"]}, {"0": ("a.txt", b"a", "text/plain")})
        assert codes(response) == ["BAD_USER_INPUT"]
        assert one.received.operations == []

"""``supergraph.yaml``: the list of subgraphs in the form that ``rover supergraph compose`` reads.

::

    subgraphs:
      orders:
        routing_url: ${ORDERS_URL:-http://127.0.0.1:4001/graphql}
        schema:
          file: orders.graphql
      payments:
        schema:
          subgraph_url: http://127.0.0.1:4002/graphql   # the routing_url too, where there is no other
          introspection_headers:
            authorization: Bearer ${TOKEN}

What other tools keep in the file is theirs; a key that is nearly one of ours is refused.
"""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from router.composition.subgraph import Subgraph
from router.environment import UnsetVariable, expand_variables
from router.errors import InputError
from router.nearest import nearest
from router.told_url import told_url
from router.yaml_fault import yaml_fault
from router.yaml_text import RepeatedKey, read_yaml

_CODE = "INVALID_SUBGRAPHS_FILE"
_SDL_QUERY = "query GalleriaSdl { _service { sdl } }"
_INTROSPECTION_TIMEOUT_S = 10.0
_ASKED_FOR = ((b"content-type", b"application/json"), (b"accept-encoding", b"identity"))
_MAX_FILE_BYTES = 64 * 1024 * 1024
_MAX_LIST_BYTES = 8_000_000
_KEYS = ("federation_version", "subgraphs")
_KEYS_OF_SUBGRAPH = ("routing_url", "schema")
_OF_A_REGISTRY = "graphref"
_KEYS_OF_SCHEMA = ("file", "subgraph_url", "introspection_headers", "sdl")
# RFC 9110, section 5: a token, and what is visible of a value.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """How running subgraphs are asked: over which ``tls``, with a certificate for which ``server_name`` (None: the
    host's), and with which ``headers`` beside a body."""

    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    headers: Callable[[bytes], list[tuple[bytes, bytes]]] = lambda body: []


# By name, address, and the headers to ask with.
FetchSdl = Callable[[str, str, Headers], str]


def load_subgraphs(
    path: str | Path, environment: Mapping[str, str] | None = None, fetch: FetchSdl | None = None
) -> tuple[Subgraph, ...]:
    """Read the subgraphs with their SDL; relative files are relative to ``path``, and ``fetch`` asks running ones.

    ``environment`` (default: the process's) gives the values of ``${NAME}`` and ``${NAME:-default}``. Raises
    InputError (``INVALID_SUBGRAPHS_FILE``, ``SUBGRAPH_UNREACHABLE``) with what to change.
    """
    file = Path(path)
    document = _read_yaml(file)
    if not isinstance(document, Mapping) or not isinstance(document.get("subgraphs"), Mapping):
        raise InputError(_CODE, f"{file} has no mapping 'subgraphs:' from names to routing_url and schema")
    _refuse_near_misses(str(file), document, _KEYS)
    variables = os.environ if environment is None else environment
    subgraphs = document["subgraphs"]
    if not subgraphs:
        raise InputError(_CODE, f"{file} lists no subgraphs")
    ask = fetch or fetch_sdl
    return tuple(_load(file, str(name), _expand(file, entry, variables), ask) for name, entry in subgraphs.items())


def read_sdl(file: Path, remedy: str) -> str:
    """The text of a file; InputError (``INVALID_SUBGRAPHS_FILE``) with the place of what is not UTF-8.

    ``remedy`` is what to do where there is no such file, as in ``give the proposed SDL with --schema``.
    """
    try:
        if file.stat().st_size > _MAX_FILE_BYTES:
            raise InputError(_CODE, f"{file} is larger than {_MAX_FILE_BYTES} bytes; is it a schema?")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2]) + 1
        raise InputError(_CODE, f"{file}:{line}:{column} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise InputError(_CODE, f"{file} cannot be read: {error.strerror}; {remedy}") from None


def _read_yaml(file: Path) -> object:
    text = read_sdl(file, "give the file that lists the subgraphs, such as supergraph.yaml")
    if len(text) > _MAX_LIST_BYTES:
        raise InputError(_CODE, f"{file} is larger than {_MAX_LIST_BYTES} bytes; is it a list of subgraphs?")
    try:
        return read_yaml(text)
    except RepeatedKey as error:
        mark = error.problem_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(file)
        message = f'{place} has the key "{error.key}" twice in one mapping; each needs a name of its own'
        raise InputError(_CODE, message) from None
    except RecursionError:
        raise InputError(_CODE, f"{file} is nested too deeply to be read") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(_CODE, f"{file} is not YAML: {yaml_fault(error)}") from None


def _expand(file: Path, value: object, variables: Mapping[str, str]) -> object:
    """Replace the environment variables in every text of a YAML value."""
    try:
        return expand_variables(value, variables)
    except UnsetVariable as error:
        name = error.name
        message = f"{file} uses ${{{name}}}, which is not set; set it or write ${{{name}:-default}}"
        raise InputError(_CODE, message) from None
    except RecursionError:  # An alias within what it stands for.
        raise InputError(_CODE, f"{file} is nested too deeply to be read") from None


def _load(file: Path, name: str, entry: object, fetch: FetchSdl) -> Subgraph:
    schema = entry.get("schema") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(schema, Mapping):
        raise InputError(_CODE, f"{file}: the subgraph '{name}' needs 'schema:' with 'file:' or 'subgraph_url:'")
    _refuse_near_misses(f"{file}: the subgraph '{name}'", entry, _KEYS_OF_SUBGRAPH)
    if _OF_A_REGISTRY in schema:
        message = f"{file}: the schema of subgraph '{name}' is in a registry ('{_OF_A_REGISTRY}:'), which is not asked"
        raise InputError(_CODE, f"{message}; save it, as with `rover subgraph fetch`, and name it with 'file:'")
    _refuse_near_misses(f"{file}: the schema of subgraph '{name}'", schema, _KEYS_OF_SCHEMA)
    url = entry.get("routing_url")
    match schema:
        case {"file": str(relative)}:
            sdl_file = file.parent / relative
            remedy = f"correct 'file:' of the subgraph '{name}', which is relative to {file}"
            return Subgraph(name, _routing_url(file, name, url), read_sdl(sdl_file, remedy), str(sdl_file))
        case {"subgraph_url": str(address)}:
            headers = _headers(file, name, schema.get("introspection_headers"))
            return Subgraph(name, _routing_url(file, name, url or address), fetch(name, address, headers))
        case {"sdl": str(sdl)}:
            return Subgraph(name, _routing_url(file, name, url), sdl)
    raise InputError(_CODE, f"{file}: the schema of subgraph '{name}' needs 'file:' or 'subgraph_url:' with a text")


def _refuse_near_misses(where: str, mapping: Mapping[object, object], known: Iterable[str]) -> None:
    """InputError for the first key that is probably a known one."""
    for key in map(str, mapping):
        meant = nearest(key, known)
        if meant and key not in known:
            raise InputError(_CODE, f"{where} has the key '{key}', which means nothing{meant}")


def _headers(file: Path, name: str, headers: object) -> Headers:
    """Those to ask with. InputError, which tells no value, for what cannot be sent."""
    where = f"{file}: the introspection_headers of subgraph '{name}'"
    if headers is not None and not isinstance(headers, Mapping):
        raise InputError(_CODE, f"{where} must be a mapping from names to texts")
    found: list[tuple[bytes, bytes]] = []
    for header, value in (headers or {}).items():
        if not isinstance(header, str) or not _HEADER_NAME.fullmatch(header):
            raise InputError(_CODE, f"{where} have one whose name is not the name of a header")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise InputError(_CODE, f"{where}: write the value of '{header}' as a text of one line, in ASCII")
        found.append((header.lower().encode(), value.encode()))
    return tuple(found)


def _routing_url(file: Path, name: str, url: object) -> str:
    if not isinstance(url, str) or not url:
        raise InputError(_CODE, f"{file}: the subgraph '{name}' needs a 'routing_url:'")
    return url


def _read(response: httpx.Response) -> bytes:
    """The body as it came, because httpx would undo an encoding without a bound. ValueError for another or too much."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ValueError("it answers in an encoding that was not asked for")
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > _MAX_FILE_BYTES:
            raise ValueError(f"it answers with more than {_MAX_FILE_BYTES} bytes")
    return bytes(body)


def fetch_sdl(name: str, address: str, headers: Headers = (), asking: Asking | None = None) -> str:
    """Ask a running subgraph for its SDL; raises InputError (``SUBGRAPH_UNREACHABLE``) where it does not answer."""
    asking = asking or Asking()
    content = json.dumps({"query": _SDL_QUERY}).encode()
    sent = [*_ASKED_FOR, *headers, *asking.headers(content)]
    extensions = {"sni_hostname": asking.server_name} if asking.server_name is not None else {}
    try:
        with (
            httpx.Client(timeout=_INTROSPECTION_TIMEOUT_S, verify=asking.tls or True) as client,
            client.stream("POST", address, content=content, headers=sent, extensions=extensions) as response,
        ):
            if not response.is_success:
                raise ValueError(f"it answers with the status {response.status_code}")
            body: object = json.loads(_read(response))
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        # It would tell the part of the address that is wrong, which may be half of a password.
        message = f"The address of the subgraph '{name}' is no URL of http or https; correct its subgraph_url"
        raise InputError("SUBGRAPH_UNREACHABLE", message) from None
    except (httpx.HTTPError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        where = f"The subgraph '{name}' does not give its schema at {told_url(address)}"
        message = f"{where}: {reason}. Start it, or name a copy of its schema with 'file:'"
        raise InputError("SUBGRAPH_UNREACHABLE", message) from None
    match body:
        case {"data": {"_service": {"sdl": str(sdl)}}}:
            return sdl
    where = f"The subgraph '{name}' at {told_url(address)}"
    message = f"{where} does not answer {{ _service {{ sdl }} }}; is it a Federation subgraph?"
    raise InputError("SUBGRAPH_UNREACHABLE", message)

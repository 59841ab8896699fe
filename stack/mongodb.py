"""The embedded server that speaks MongoDB's wire protocol: where it is, how it is run, who may use which database.

SecantusDB is GPL-2.0, so it lives in a virtual environment of its own and runs as a process of its own; nothing of ours
imports it. Production runs MongoDB 8 instead (compose.yaml); the services see only a URL.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from stack.daemon import free_port, running
from stack.errors import StackError

ROOT_USER = "root"
USER_EXISTS = 51003  # MongoDB's error code for a createUser of a name that is taken


def server_binary(root: Path) -> Path:
    """The path of ``secantusd-py``: ``GALLERIA_MONGODB_BIN``, or the one in ``.venv-mongodb`` below ``root``.

    Raises StackError where it is not installed.
    """
    named = os.environ.get("GALLERIA_MONGODB_BIN")
    binary = Path(named) if named else root / ".venv-mongodb" / "bin" / "secantusd-py"
    if not binary.exists():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise StackError(
            f"{binary} is missing: run `make setup` (it is there for Python 3.11 to 3.13, and this is {version}),"
            " or set GALLERIA_MONGODB_URL to a MongoDB server of your own, with a user that may create users"
        )
    return binary


def server_command(binary: Path, directory: Path, port: int, *, auth: bool = True) -> list[str]:
    """The command line that serves ``directory`` on 127.0.0.1:``port``.

    ``--sync-on-commit`` is not optional: without it a killed server loses acknowledged writes. ``--config`` names a
    file that :func:`bootstrap` leaves empty: it keeps a stray secantusd.toml of the working directory out.
    """
    command = [str(binary), "--config", str(directory / "secantusd.toml"), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--storage-path", str(directory), "--sync-on-commit", "--cache-size", "256M", "--log-level", "WARNING"]
    command += ["--oplog-retention-seconds", "86400", "--oplog-max-entries", "1000000"]
    return [*command, "--auth"] if auth else command


def service_url(server_url: str, service: str, password: str) -> str:
    """The URL of ``service``'s own user and database on the server that ``server_url`` names."""
    parts = urlsplit(server_url)
    hosts = parts.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{service}:{quote(password, safe='')}@{hosts}/{service}{query}"


def bootstrap(binary: Path, directory: Path, passwords: Mapping[str, str]) -> None:
    """Create root and one user per service in ``directory``, once; a directory that has them is left as it is.

    ``passwords`` maps ``root`` and each service to its password. The server runs without authentication for that
    second, on a port that nobody knows.
    """
    marker = directory / "galleria-users"
    if marker.exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "secantusd.toml").touch()
    port = free_port()
    log = directory.parent / "mongodb-bootstrap.log"
    with running(server_command(binary, directory, port, auth=False), port, log):
        url = f"mongodb://127.0.0.1:{port}/"
        _create_user(url, "admin", ROOT_USER, passwords[ROOT_USER], [{"role": "root", "db": "admin"}])
        create_service_users(url, {name: word for name, word in passwords.items() if name != ROOT_USER})
    marker.write_text("root and one user per service exist\n")


def create_service_users(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create a user per service who may read and write the database of that name alone; existing ones stay."""
    for service, password in passwords.items():
        _create_user(admin_url, service, service, password, [{"role": "readWrite", "db": service}])


def await_login(url: str, timeout_s: float = 20.0) -> None:
    """Return when ``url`` accepts a login; raises StackError, without the password, when it does not in time."""
    deadline = time.monotonic() + timeout_s
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=1000) as client:
        while True:
            try:
                client.admin.command("ping")
                return
            except PyMongoError as error:
                time.sleep(0.1)
                if time.monotonic() > deadline:
                    where = urlsplit(url)
                    reason = type(error).__name__
                    raise StackError(f"MongoDB at {where.hostname}:{where.port} does not answer: {reason}") from None


def _create_user(url: str, database: str, user: str, password: str, roles: Sequence[Mapping[str, str]]) -> None:
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=10_000) as client:
        try:
            client[database].command("createUser", user, pwd=password, roles=list(roles))
        except OperationFailure as error:
            if error.code != USER_EXISTS:
                raise StackError(f"cannot create the MongoDB user {user}: {error.details}") from None

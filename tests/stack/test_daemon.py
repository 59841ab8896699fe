"""Whether a port is listened on: never by a connection that only meets itself."""

from __future__ import annotations

import errno
import socket
import sys

import pytest

from stack.daemon import accepts, free_port, is_connected_to_itself


def test_a_port_is_open_while_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert accepts(port)
    assert not accepts(port)


def test_a_connection_from_the_port_that_it_asks_for_meets_nobody() -> None:
    """As where the system chooses that port of all: here it is chosen for it."""
    with socket.socket() as alone:
        alone.bind(("127.0.0.1", 0))
        port = alone.getsockname()[1]
        assert alone.connect_ex(("127.0.0.1", port)) == 0
        assert is_connected_to_itself(alone)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        assert not is_connected_to_itself(connection)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port is chosen, and not kept")
def test_a_port_that_was_chosen_is_left_to_who_is_to_listen_there() -> None:
    port = free_port()
    assert not accepts(port)
    with socket.socket() as another, pytest.raises(OSError, match="in use") as refused:
        another.bind(("127.0.0.1", port))
    assert refused.value.errno == errno.EADDRINUSE
    for _ in range(2):  # One that is started again, too.
        with socket.create_server(("127.0.0.1", port)):
            assert accepts(port)

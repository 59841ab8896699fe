"""``python -m stack up``: prepare the engines, run the Procfile, say when the mall is open.

``python -m stack run COMMAND`` runs a command beside it, in the same environment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.printer import Printer

from stack import mongodb, nats
from stack.environment import SERVICES, Layout, process_environment, read_layout, read_pauses
from stack.errors import StackError
from stack.ports import require_free_ports
from stack.readiness import await_ready
from stack.secrets import passwords
from stack.supervisor import Supervisor

ROOT = Path(__file__).parent.parent
SERVED = (*SERVICES, "router")
OWN_MONGODB = "GALLERIA_MONGODB_URL"


def main() -> int:
    """Run the verb on the command line; a thing that is wrong is one line on stderr and exit code 2."""
    match sys.argv[1:]:
        case ["up"]:
            verb = up
        case ["run", *command] if command:
            verb = partial(run, command)
        case _:
            print("usage: python -m stack up | python -m stack run COMMAND...", file=sys.stderr)
            return 2
    try:
        verb()
    except StackError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    return 0


def up() -> None:
    """Run everything until SIGINT or SIGTERM; raises StackError, with nothing started, where it cannot."""
    os.chdir(ROOT)
    layout = read_layout(os.environ)
    commands = dict(parse_procfile((ROOT / "Procfile").read_text()).processes)
    if OWN_MONGODB in os.environ:
        del commands["mongodb"]
    require_free_ports({name: layout.ports[name] for name in commands})
    environment = _environment(layout)
    _prepare_mongodb(layout, environment)
    nats.server_binary()
    nats.write_config(layout.data / "nats", layout.ports["nats"], _passwords(layout)["nats"])
    environment["EXPLORER_AUTHORIZATION"] = f"Bearer {_explorer_token(environment)}"
    _supervise(commands, environment, layout)


def run(command: Sequence[str]) -> None:
    """Become ``command`` (``mall seed``, say), in the environment that the Procfile's processes have."""
    environment = _environment(read_layout(os.environ))
    try:
        os.execvpe(command[0], list(command), environment)  # noqa: S606 - the user's own command, no shell
    except FileNotFoundError:
        raise StackError(f"there is no command {command[0]}") from None


def _environment(layout: Layout) -> dict[str, str]:
    own_mongodb = os.environ.get(OWN_MONGODB)
    environment = process_environment(layout, os.environ, _passwords(layout), own_mongodb)
    environment["PATH"] = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    return environment


def _passwords(layout: Layout) -> dict[str, str]:
    return passwords(layout.data / "secrets.json", [mongodb.ROOT_USER, *SERVICES, "nats", "router"])


def _prepare_mongodb(layout: Layout, environment: dict[str, str]) -> None:
    words = {name: word for name, word in _passwords(layout).items() if name in (mongodb.ROOT_USER, *SERVICES)}
    if own_mongodb := os.environ.get(OWN_MONGODB):
        mongodb.await_login(own_mongodb)
        mongodb.create_service_users(own_mongodb, {name: words[name] for name in SERVICES})
    else:
        binary = mongodb.server_binary(ROOT)
        mongodb.bootstrap(binary, layout.data / "mongodb", words)
        environment["GALLERIA_MONGODB_BIN"] = str(binary)


def _supervise(commands: dict[str, str], environment: dict[str, str], layout: Layout) -> None:
    supervisor = Supervisor(commands, environment, Printer(sys.stdout), read_pauses(os.environ))
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: supervisor.stop())

    def announce() -> None:
        explorer, graph = layout.http_url("router", "/"), layout.http_url("router", "/graphql")
        supervisor.say(f"Galleria is open: explorer {explorer}  graph {graph}  (Ctrl-C closes it)")

    urls = [layout.http_url(name, "/health/ready") for name in SERVED]
    threading.Thread(target=await_ready, args=(urls, supervisor.stopping, announce), daemon=True).start()
    supervisor.run(stop_first=SERVED)


def _explorer_token(environment: dict[str, str]) -> str:
    """A staff token for the explorer page, from the command that anyone else would use."""
    command = [str(Path(sys.prefix) / "bin" / "mall"), "token", "--role", "staff"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    if result.returncode != 0:
        raise StackError(f"no development token: {result.stderr.strip()}")
    return result.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

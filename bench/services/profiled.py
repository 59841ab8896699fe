"""``python -m bench.services.profiled FILE serve NAME ...``: ``mall serve`` that writes where its CPU time went.

cProfile counts the CPU time of each thread, the driver's threads included. It begins with SIGUSR1, so that the start of
the service is left out, and ends with the service. What a function of C took is put down to the Python that called it.
"""

from __future__ import annotations

import atexit
import cProfile
import json
import re
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

from subgraphs.chassis.command import main

PACKAGES = (
    ("/strawberry/", "Strawberry"),
    ("/graphql/", "graphql-core"),
    ("/pymongo/", "driver"),
    ("/motor/", "driver"),
    ("/bson/", "driver"),
    ("/concurrent/futures/", "driver"),
    ("/subgraphs/chassis/", "chassis"),
    ("/subgraphs/", "service"),
    ("/uvicorn/", "HTTP and loop"),
    ("/starlette/", "HTTP and loop"),
    ("/asyncio/", "HTTP and loop"),
)
OTHER = "other"
Entries: TypeAlias = list[Any]
ROOT = Path(__file__).parent.parent.parent


class Profiles:
    """One profile a thread; :meth:`write` sums up what came after :meth:`begin`."""

    def __init__(self) -> None:
        self._profiles: list[cProfile.Profile] = []
        self._before: Sequence[Entries] = ()

    def enable(self, *_: object) -> None:
        """Profile the thread that calls this: the form of a hook of ``threading.setprofile``."""
        profile = cProfile.Profile(time.thread_time)
        self._profiles.append(profile)
        profile.enable()

    def begin(self, signum: int, frame: FrameType | None) -> None:
        """Leave out what was up to now: the form of a signal handler."""
        self._before = self._entries()

    def write(self, file: Path) -> None:
        """Write {"package|function": seconds} as JSON."""
        after = self._entries()  # before anything is computed: that would be counted, too
        before = _seconds(self._before)
        file.write_text(json.dumps({name: value - before.get(name, 0.0) for name, value in _seconds(after).items()}))

    def _entries(self) -> list[Entries]:
        return [profile.getstats() for profile in list(self._profiles)]


def _seconds(profiles: Sequence[Entries]) -> dict[str, float]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for entry in (entry for entries in profiles for entry in entries):
        if isinstance(entry.code, CodeType) and entry.code.co_filename != __file__:
            builtins = [call.inlinetime for call in entry.calls or () if isinstance(call.code, str)]
            seconds[_name(entry.code)] += entry.inlinetime + sum(builtins)
    return dict(seconds)


def _name(code: CodeType) -> str:
    package = next((name for part, name in PACKAGES if part in code.co_filename), OTHER)
    path = re.sub(r".*/(site-packages|python\d\.\d+)/", "", code.co_filename).removeprefix(f"{ROOT}/")
    return f"{package}|{path}:{code.co_firstlineno} {code.co_qualname}"


def run() -> None:
    """Serve as ``mall`` does, profiled."""
    file = Path(sys.argv.pop(1))
    profiles = Profiles()
    atexit.register(profiles.write, file)
    signal.signal(signal.SIGUSR1, profiles.begin)
    threading.setprofile(profiles.enable)
    profiles.enable()
    main()


if __name__ == "__main__":
    run()

"""The saboteur: kills and pauses the processes of a running mall, as a seed says.

``schedule(seed=7, kills=2)`` -> ``(Strike(1.3, "nats", KILL), Strike(0.8, "orders", PAUSE, 2.1), Strike(2.0, ...))``
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random

import psutil

from stack.environment import SERVICES
from tests.mall import RunningMall, await_condition

COMMANDS = {
    "mongodb": "secantusd",
    "nats": "nats-server",
    "router": "galleria serve",
    **{name: f"mall serve {name}" for name in SERVICES},
}
"""The victims, and what each is known by in the table of processes."""


class Deed(Enum):
    """What the saboteur does: SIGKILL, or SIGSTOP and some time later SIGCONT."""

    KILL = "kill"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Strike:
    """After ``wait_s`` do ``deed`` to ``victim``; a pause lasts ``pause_s`` seconds."""

    wait_s: float
    victim: str
    deed: Deed
    pause_s: float = 0.0


def schedule(seed: int, kills: int, *, longest_wait_s: float = 3.0) -> tuple[Strike, ...]:
    """The strikes of ``seed``: ``kills`` kills and, between them, about a quarter as many pauses.

    Every victim has its turn before one has its next, so that a short schedule reaches all of them too. Every fourth
    kill comes close upon the one before: two processes are down at once.
    """
    dice = Random(seed)  # noqa: S311 - repeatable on purpose
    strikes: list[Strike] = []
    for number in range(kills):
        if number % len(COMMANDS) == 0:
            victims = dice.sample(sorted(COMMANDS), len(COMMANDS))
        wait_s = 0.05 if number % 4 == 3 else dice.uniform(0.3, longest_wait_s)
        strikes.append(Strike(wait_s, victims[number % len(COMMANDS)], Deed.KILL))
        if number % 4 == 1:
            paused, rest_s = dice.choice(sorted(COMMANDS)), dice.uniform(0.5, 4.0)
            strikes.append(Strike(dice.uniform(0.3, longest_wait_s), paused, Deed.PAUSE, rest_s))
    return tuple(strikes)


@dataclass(slots=True)
class Saboteur:
    """Carries out strikes on ``mall``; ``kills`` and ``pauses`` count by victim what was done."""

    mall: RunningMall
    kills: Counter[str] = field(default_factory=Counter)
    pauses: Counter[str] = field(default_factory=Counter)

    def carry_out(self, strikes: Sequence[Strike], tell: Callable[[str], None] = lambda _: None) -> None:
        """All ``strikes``, one after the other; returns when the last pause is over.

        A victim that is just waiting for its restart is awaited: each strike hits a living process, at whatever moment
        of its start or life that is.
        """
        for number, strike in enumerate(strikes, 1):
            time.sleep(strike.wait_s)  # the schedule's own pace, not a wait for something
            if strike.deed is Deed.KILL:
                self._kill(strike.victim)
            else:
                self._pause(strike.victim, strike.pause_s)
            if number % 50 == 0:
                tell(f"{number} of {len(strikes)} strikes")

    def _kill(self, victim: str) -> None:
        def killed() -> bool:
            return _signal(self._find(victim), signal.SIGKILL)

        await_condition(killed, what=f"a living {victim}")
        self.kills[victim] += 1

    def _pause(self, victim: str, pause_s: float) -> None:
        group = await_condition(lambda: self._find(victim), what=f"a living {victim}")
        if not _signal(group, signal.SIGSTOP):
            return
        try:
            time.sleep(pause_s)
        finally:
            _signal(group, signal.SIGCONT)
        self.pauses[victim] += 1

    def _find(self, victim: str) -> int | None:
        """The process group of ``victim``; None between its end and its restart."""
        for process in psutil.Process(self.mall.process.pid).children():
            try:
                command = " ".join(process.cmdline())
            except psutil.Error:  # it ended meanwhile
                continue
            if COMMANDS[victim] in command and process.status() != psutil.STATUS_ZOMBIE:
                return process.pid
        return None


def _signal(group: int | None, signum: signal.Signals) -> bool:
    try:
        if group is not None:
            os.killpg(group, signum)
    except ProcessLookupError:
        return False
    return group is not None

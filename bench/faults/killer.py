"""Kills processes, aiming at each phase of a message in turn.

A kill is aimed by freezing: as soon as some process holds a message in the phase, the process is stopped
where it stands; if it still holds one, it dies of kill -9, otherwise it goes on. So what is said of a kill is
what was so at the moment of the kill.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.faults.installation import Installation
from bench.faults.process import Process
from bench.faults.watch import Phase, Watch

GAP_S = (0.3, 1.3)
# So long a kill waits for a message to come into its phase.
PATIENCE_S = 4.0
_LOOK_S = 0.02
# A committed reply leaves within milliseconds, and no wire tells of it.
_LOOK_CLOSELY_S = 0.002


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill at ``at`` (seconds since 1970). ``phase`` is None if the victim held nothing."""

    at: float
    victim: str
    phase: Phase | None
    marks: Sequence[str]
    was_aimed: bool

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


class Killer:
    """Kills one process after another, without waiting for the last one to be back.

    Every choice is drawn from *seed*; what the choice meets is not.
    """

    def __init__(self, installation: Installation, watch: Watch, seed: int) -> None:
        self.kills: list[Kill] = []
        self._installation = installation
        self._watch = watch
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._aims: list[Phase | None] = []

    def pause(self) -> None:
        """The time between two kills."""
        time.sleep(self._random.uniform(*GAP_S))

    def kill_one(self) -> Kill:
        """Kill a process that holds a message in the phase whose turn it is, or any that draws the lot."""
        phase = self._next_aim()
        kill = None if phase is None else self._kill_in(phase) or self._kill_whoever_holds()
        kill = kill or self._kill_any()
        self.kills.append(kill)
        return kill

    def _next_aim(self) -> Phase | None:
        if not self._aims:
            self._aims = [*Phase, None]
            self._random.shuffle(self._aims)
        return self._aims.pop()

    def _kill_in(self, phase: Phase) -> Kill | None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            kill = self._kill_if_anybody_holds(phase)
            if kill is not None:
                return kill
            self._watch.wait(_LOOK_CLOSELY_S if phase is Phase.COMMITTED else _LOOK_S)
        return None

    def _kill_whoever_holds(self) -> Kill | None:
        """A kill in the phase that has had fewest of those in which anybody holds a message now."""
        for phase in sorted(Phase, key=self._kills_in):
            kill = self._kill_if_anybody_holds(phase)
            if kill is not None:
                return kill
        return None

    def _kill_if_anybody_holds(self, phase: Phase) -> Kill | None:
        holders = self._watch.holders(phase)
        victims = [process for process in self._installation.processes if process.name in holders]
        return self._kill_if_holding(self._random.choice(victims), phase) if victims else None

    def _kill_if_holding(self, victim: Process, phase: Phase) -> Kill | None:
        if not victim.freeze():
            return None
        marks = self._watch.holders(phase).get(victim.name)
        if not marks:
            victim.thaw()
            return None
        return self._kill(victim, phase, marks, was_aimed=True)

    def _kill_any(self) -> Kill:
        victim = self._random.choice(self._installation.processes)
        if victim.name == "postgres":
            # It has a hand in whatever anybody holds, and cannot be asked while it is frozen.
            held = self._watch.held_by_anybody()
        else:
            victim.freeze()
            held = self._watch.held_by(victim.name)
        # Who held messages in several phases is counted once, where there are fewest kills so far.
        phase = min(held, key=self._kills_in, default=None)
        return self._kill(victim, phase, held[phase] if phase else set(), was_aimed=False)

    def _kills_in(self, phase: Phase) -> int:
        return sum(kill.phase is phase for kill in self.kills)

    def _kill(self, victim: Process, phase: Phase | None, marks: set[str], *, was_aimed: bool) -> Kill:
        kill = Kill(time.time(), victim.name, phase, sorted(marks), was_aimed)
        self._installation.supervisor.kill(victim)
        return kill

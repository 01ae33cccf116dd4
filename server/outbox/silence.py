"""Notices that nothing more is heard of a line: its sidecar has died, or cannot reach us."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from server.domain.lines import LastReport
from server.ports.clock import Clock

# A sidecar tells of each line every half minute; two reports in a row may fail to arrive.
SHORTEST_S = 90.0
LOOK_EVERY_S = 10.0
# Who has not looked for so long was stopped or had no database, and then reports found nobody either.
INTERRUPTED_S = 30.0


class Silence:
    """Compares what is kept of each line with what this process saw of it before.

    A silence lasts from when this process first saw the last report, by its stopwatch. So it takes no
    sidecar to task for the time in which it did not run itself, the machines' clocks need not agree, and
    one that jumps does no harm.

    Args:
        last_reports: what was last told of each linked number, whichever process heard it.
        patience_s: how long nothing may be heard; `SHORTEST_S` at the least.
    """

    def __init__(
        self, last_reports: Callable[[], Sequence[LastReport]], clock: Clock, patience_s: float
    ) -> None:
        self._last_reports = last_reports
        self._clock = clock
        self._patience_s = max(patience_s, SHORTEST_S)
        self._looked_at = -math.inf
        self._seen_at: dict[LastReport, float] = {}

    def find(self) -> list[LastReport]:
        """The last reports of lines that are silent; looks every `LOOK_EVERY_S` however often it is called.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        now = self._clock.monotonic()
        since_last_look = now - self._looked_at
        if since_last_look < LOOK_EVERY_S:
            return []
        reports = self._last_reports()
        seen_before = {} if since_last_look > INTERRUPTED_S else self._seen_at
        self._seen_at = {report: seen_before.get(report, now) for report in reports}
        self._looked_at = now
        return [report for report, seen in self._seen_at.items() if now - seen >= self._patience_s]

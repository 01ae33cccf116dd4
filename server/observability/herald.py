"""Decides what is wrong, and tells operators: once when it begins, and once when it is over."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from server.errors import ProviderError, ProviderRejected
from server.observability import metrics
from server.observability.alert_file import AlertFile, AlertState, idempotency_key, to_event
from server.observability.alerts import AlertBook, Change, take_readings
from server.observability.history import Recent
from server.ports.clock import Clock

# What could not be told for so long that so much has gathered is of no use any more.
MOST_UNTOLD = 100

# Tells operators: an event, and the key by which they know it when it is told again. Raises ProviderError.
Report = Callable[[Mapping[str, object], str], None]

log = structlog.get_logger(__name__)


class Herald:
    """Goes on where the one before ended: what is wrong, and what was not told yet, stands in the file.

    Args:
        slow_after_s: from when on a reply counts as slow; told with the alert.
        report: how operators are told; None where they have named no address.
    """

    def __init__(self, file: AlertFile, clock: Clock, slow_after_s: float, report: Report | None) -> None:
        self._file = file
        self._clock = clock
        self._slow_after_s = slow_after_s
        self._report = report
        state = file.read()
        self._book = AlertBook(state.active)
        self._untold: deque[Mapping[str, Any]] = deque(state.untold, maxlen=MOST_UNTOLD)
        # What the gauge tells of: an alert that is over is told as 0 from then on.
        self._shown: set[tuple[str, str]] = set()

    def look(self, recent: Recent) -> None:
        """Take in how things are now; tell what has changed. May block while operators are told."""
        readings = take_readings(recent.window, recent.total, self._slow_after_s)
        changes = self._book.update(readings, self._clock.now())
        for change in changes:
            _log_change(change)
        if self._report is not None:
            self._untold.extend(map(to_event, changes))
        if changes:
            self._keep()
        self._shown |= {(reading.name, reading.subject) for reading in readings}
        self._show()
        self._tell()

    def _show(self) -> None:
        raised = {alert.key for alert in self._book.active}
        self._shown |= raised
        for name, subject in self._shown:
            metrics.ALERTS_ACTIVE.set(float((name, subject) in raised), alert=name, subject=subject)

    def _tell(self) -> None:
        """Tell operators what they have not heard yet, in its order."""
        while self._untold and self._report is not None:
            event = self._untold[0]
            try:
                self._report(event, idempotency_key(event))
            except ProviderRejected as error:
                log.error("alert.not_told", alert=event["alert"], reason=error.reason)
            except ProviderError as error:
                log.warning("alert.told_later", alert=event["alert"], reason=error.reason)
                return
            self._untold.popleft()
            self._keep()

    def _keep(self) -> None:
        self._file.write(AlertState(self._book.active, list(self._untold)))


def _log_change(change: Change) -> None:
    alert = change.alert
    entry = log.bind(alert=alert.name, subject=alert.subject, value=round(alert.value, 4), limit=alert.limit)
    if change.is_raised:
        entry.error("alert.raised")
    else:
        entry.info("alert.cleared")

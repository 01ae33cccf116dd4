"""Turns what the sidecar tells of a number into one alert to staff, and one all-clear."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import structlog

from server.domain.lines import LineState, Unreadable
from server.outbox.silence import Silence
from server.ports.alerts import AlertStore
from server.ports.clock import Clock
from server.ports.queue import WorkQueue

log = structlog.get_logger(__name__)


class LineWatch:
    """Hears of every line every half minute, changed or not; which of that is news, the store knows.

    Args:
        patience_s: how long a linked number may be away by itself, or nothing be heard of it, before
            staff are told.
    """

    def __init__(self, alerts: AlertStore, lanes: WorkQueue, clock: Clock, patience_s: float) -> None:
        self._alerts = alerts
        self._lanes = lanes
        self._clock = clock
        self._patience = timedelta(seconds=patience_s)
        self._silence = Silence(alerts.last_reports, clock, patience_s)

    def observe(self, tenant_id: str, line: LineState) -> None:
        """Tell staff, if there is something that they do not know yet.

        Raises:
            NotFound: there is no such tenant.
            StoreUnavailable: the database does not answer.
        """
        self._alerts.record(tenant_id, line)
        if line.is_open:
            self._wake(self._alerts.end_incident(tenant_id, line))
        elif line.needs_a_person(self._patience):
            self._alert(tenant_id, line)

    def look(self) -> None:
        """Tell staff of the lines that nobody tells of any more: a chore of the sweep.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        for report in self._silence.find():
            self._alert(report.tenant_id, report.gone_silent(self._clock.now()))

    def report_unreadable(self, tenant_id: str, messages: Iterable[Unreadable]) -> None:
        """Tell staff of messages that could not be read."""
        for message in messages:
            self._wake(self._alerts.report_unreadable(tenant_id, message))

    def _alert(self, tenant_id: str, line: LineState) -> None:
        lanes = self._alerts.begin_incident(tenant_id, line)
        if lanes:
            log.error("line.alert", tenant=tenant_id, state=line.state)
        self._wake(lanes)

    def _wake(self, lanes: Iterable[str]) -> None:
        for lane in lanes:
            self._lanes.put(lane)

"""The morning report as a message to staff, once a day."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.messages import Channel, OutboundKind
from server.domain.reports import BusinessDay, due_report
from server.domain.tenants import Tenant
from server.errors import StoreUnavailable
from server.ports.clock import Clock
from server.report_text import report_lines
from server.store.models import OutboxRow
from server.store.notices import Notice, add_notice, notice_rows
from server.store.reports import Reports
from server.store.session import Database
from server.store.tenants import Tenants

log = structlog.get_logger(__name__)


class MorningReports:
    """The ``MorningReportStore`` port.

    Args:
        console_url: where staff find the console; part of what they are told.
    """

    def __init__(self, database: Database, clock: Clock, console_url: str) -> None:
        self._database = database
        self._clock = clock
        self._console_url = console_url
        self._tenants = Tenants(database, clock)
        self._reports = Reports(database, clock)
        # What this process knows to be in the outbox, by business, so that it need not ask again.
        self._made: dict[str, BusinessDay] = {}

    def put_due(self, limit: int) -> Sequence[str]:
        """Make the reports that are due."""
        tenants = iter(self._tenants.all())
        lanes: list[str] = []
        made = 0
        while made < limit and (tenant := next(tenants, None)) is not None:
            news = self._put(tenant)
            lanes += news
            made += bool(news)
        return lanes

    def _put(self, tenant: Tenant) -> Sequence[str]:
        try:
            day = due_report(tenant.settings, self._clock.now())
            if day is None or self._made.get(tenant.id) == day:
                return []
            lanes = self._add(tenant, day)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one business's report must not cost the others theirs
            log.warning("morning_report.failed", tenant=tenant.id, error=type(error).__name__)
            return []
        self._made[tenant.id] = day
        if lanes:
            log.info("morning_report.made", tenant=tenant.id, day=str(day.date), lanes=len(lanes))
        return lanes

    def _add(self, tenant: Tenant, day: BusinessDay) -> Sequence[str]:
        now = self._clock.now()
        url = f"{self._console_url}/console/report?day={day.date}"
        event = {"event": "morning_report", "tenant": tenant.id, "day": day.date.isoformat(), "url": url}
        # All processes name it alike, so that the outbox has it once.
        cause = f"report:{tenant.id}:{day.date}"
        with self._database.read() as session:
            unwritten = notice_rows(tenant, Notice(cause, OutboundKind.REPORT, (), event), now)
            if not unwritten or _is_made(session, unwritten):
                return []
        report = self._reports.report(tenant.id, day)
        lines = [*report_lines(report, tenant.settings.name, self._console_url), "", url]
        with self._database.write() as session:
            notice = Notice(cause, OutboundKind.REPORT, lines, event)
            return add_notice(self._database, session, tenant, notice, now)


def _is_made(session: Session, rows: Sequence[OutboxRow]) -> bool:
    """Whether the outbox has one of them: whoever was added since reads it in the console."""
    made = select(OutboxRow.id).where(
        OutboxRow.tenant_id == rows[0].tenant_id,
        OutboxRow.channel.in_((Channel.STAFF_EMAIL, Channel.STAFF_WEBHOOK)),
        OutboxRow.message_id.in_([row.message_id for row in rows]),
    )
    return session.scalars(made.limit(1)).first() is not None

"""What was last told of each line, and alerts of it as messages of the outbox.

The outbox itself remembers an incident: it is open while the newest alert of the tenant has no all-clear
after it. So there is one alert an incident, however often and by however many processes it is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.lines import LastReport, LineState, Unreadable
from server.domain.messages import Channel, OutboundKind
from server.domain.phrases import Phrase
from server.domain.tenants import Tenant
from server.ports.clock import Clock
from server.store.models import LineReportRow, OutboxRow, WhatsAppNumberRow
from server.store.notices import Notice, add_notice
from server.store.session import Database
from server.store.tenants import get_tenant_row, to_tenant
from server.translations import Written

_CHANNELS = (Channel.STAFF_EMAIL, Channel.STAFF_WEBHOOK)
_KINDS = (OutboundKind.ALERT, OutboundKind.ALL_CLEAR)


class Alerts:
    """The ``AlertStore`` port.

    Args:
        console_url: where staff find the console; part of what they are told.
    """

    def __init__(self, database: Database, clock: Clock, console_url: str) -> None:
        self._database = database
        self._clock = clock
        self._console_url = console_url

    def record(self, tenant_id: str, line: LineState) -> None:
        """Keep what was told of a line."""
        told = {"is_linked": line.is_linked, "down_since": line.down_since, "reported_at": line.at}
        with self._database.write() as session:
            get_tenant_row(session, tenant_id)
            session.execute(
                self._database.insert(LineReportRow)
                .values(tenant_id=tenant_id, **told)
                .on_conflict_do_update(index_elements=[LineReportRow.tenant_id], set_=told)
            )

    def last_reports(self) -> Sequence[LastReport]:
        """What was last told of each linked number."""
        report, number = LineReportRow, WhatsAppNumberRow
        with self._database.read() as session:
            rows = session.execute(
                select(report.tenant_id, report.down_since, report.reported_at)
                .outerjoin(number, number.tenant_id == report.tenant_id)
                # Of a number that was unlinked just before its sidecar died, the last report may be lost.
                .where(report.is_linked, number.is_wanted.is_distinct_from(False))
            )
            return [LastReport(*row) for row in rows]

    def begin_incident(self, tenant_id: str, line: LineState) -> Sequence[str]:
        """Tell staff that the line is down, unless they know."""
        with self._database.read() as session:
            if _is_down(_newest(session, tenant_id)):
                return []
        with self._database.write() as session:
            tenant = to_tenant(get_tenant_row(session, tenant_id))
            newest = _newest(session, tenant_id)
            if _is_down(newest):
                return []
            since = line.down_since or line.at
            # What came before is part of the name: two processes that notice at once name it alike.
            cause = f"line:{tenant_id}:{newest.id if newest else 0}"
            notice = Notice(
                cause,
                OutboundKind.ALERT,
                self._down_lines(tenant, line, since),
                _down_event(tenant, line, since),
            )
            return self._add(session, tenant, notice)

    def end_incident(self, tenant_id: str, line: LineState) -> Sequence[str]:
        """Tell staff that the line is up again, if they heard that it was down."""
        with self._database.read() as session:
            if not _is_down(_newest(session, tenant_id)):
                return []
        with self._database.write() as session:
            newest = _newest(session, tenant_id)
            if newest is None or not _is_down(newest):
                return []
            tenant = to_tenant(get_tenant_row(session, tenant_id))
            lines = [
                Phrase("WhatsApp of {business} works again", business=tenant.settings.name),
                Phrase(
                    "Since {moment} guests are heard and answered. What they wrote meanwhile comes in now; "
                    "messages that are too old wait for you in the console:",
                    moment=_clock_time(tenant, line.at),
                ),
                f"{self._console_url}/console",
            ]
            event = {"event": "number_up", "tenant": tenant_id, "at": line.at.isoformat()}
            notice = Notice(f"line:{tenant_id}:{newest.message_id}", OutboundKind.ALL_CLEAR, lines, event)
            return self._add(session, tenant, notice)

    def report_unreadable(self, tenant_id: str, message: Unreadable) -> Sequence[str]:
        """Tell staff of a message that nobody could read, once."""
        with self._database.write() as session:
            tenant = to_tenant(get_tenant_row(session, tenant_id))
            lines = [
                Phrase("A guest's message could not be read"),
                Phrase(
                    "{guest} wrote to {business} on {moment}, and WhatsApp could not decrypt it, nor did the "
                    "guest's phone send it again. Look at the chat on the business's phone, or ask the "
                    "guest to write once more.",
                    guest=_who(message.sender),
                    business=tenant.settings.name,
                    moment=_clock_time(tenant, message.at),
                ),
            ]
            event = {
                "event": "message_unreadable",
                "tenant": tenant_id,
                "message": message.message_id,
                "from": message.sender,
                "at": message.at.isoformat(),
            }
            cause = f"unreadable:{tenant_id}:{message.sender}:{message.message_id}"
            notice = Notice(cause, OutboundKind.NOTICE, lines, event, is_on_whatsapp=True)
            return self._add(session, tenant, notice)

    def _add(self, session: Session, tenant: Tenant, notice: Notice) -> Sequence[str]:
        return add_notice(self._database, session, tenant, notice, self._clock.now())

    def _down_lines(self, tenant: Tenant, line: LineState, since: datetime) -> Sequence[str]:
        return [
            Phrase("WhatsApp of {business} does not work", business=tenant.settings.name),
            Phrase(
                "Since {moment} guests are neither heard nor answered.", moment=_clock_time(tenant, since)
            ),
            Phrase("Reason: {reason}.", reason=_reason(line)),
            _advice(tenant, line),
            f"{self._console_url}/console",
        ]


_REASONS: Mapping[str, Phrase] = {
    "deaf": Phrase("WhatsApp does not answer on the line"),
    "connecting": Phrase("WhatsApp cannot be reached"),
    "disconnected": Phrase("the connection has ended"),
    "logged_out": Phrase("the link was removed on the phone"),
    "blocked": Phrase("WhatsApp refuses the number"),
    "silent": Phrase("nothing is heard of the sidecar, the process that holds the link"),
}
# What the sidecar says more exactly (services/whatsapp/src/reconnect.js). Its other words stay as they are.
_SIDECAR_REASONS = (
    Phrase("WhatsApp refuses this number (403): look at WhatsApp on its phone"),
    Phrase(
        "WhatsApp finds this client too old (405): set WHATSAPP_VERSION to the current version, or update"
    ),
    Phrase("WhatsApp refuses linked devices for this number (411): update WhatsApp on its phone"),
    Phrase("another program uses this link (440); trying once more in a minute"),
    Phrase("another program uses this link (440): stop it, then connect again"),
    Phrase("the link was removed on the phone"),
)
_IN_OUR_WORDS: Mapping[str, Phrase] = {str(phrase): phrase for phrase in _SIDECAR_REASONS}


def _reason(line: LineState) -> str:
    if line.reason:
        return _IN_OUR_WORDS.get(line.reason, line.reason)
    return _REASONS.get(line.state, line.state)


def _advice(tenant: Tenant, line: LineState) -> Phrase:
    if line.state == "silent":
        return Phrase(
            "Tell whoever runs this installation: on its machine, `frontdesk doctor` says what is missing."
        )
    return Phrase(
        "Look at WhatsApp on the business's phone. If the link is gone, make it anew: "
        "{command} shows a code to scan.",
        command=f"`frontdesk link {tenant.id}`",
    )


def _down_event(tenant: Tenant, line: LineState, since: datetime) -> Mapping[str, object]:
    return {
        "event": "number_down",
        "tenant": tenant.id,
        "state": line.state,
        "since": since.isoformat(),
        "reason": _reason(line),
    }


def _newest(session: Session, tenant_id: str) -> OutboxRow | None:
    return session.scalars(
        select(OutboxRow)
        .where(OutboxRow.tenant_id == tenant_id, OutboxRow.channel.in_(_CHANNELS), OutboxRow.kind.in_(_KINDS))
        .order_by(OutboxRow.id.desc())
        .limit(1)
    ).first()


def _is_down(newest: OutboxRow | None) -> bool:
    return newest is not None and newest.kind == OutboundKind.ALERT


def _clock_time(tenant: Tenant, moment: datetime) -> Phrase:
    return Written("dd MMMM, HH:mm", moment.astimezone(tenant.settings.zone))


def _who(sender: str) -> str:
    user, _, server = sender.partition("@")
    return f"+{user.partition(':')[0]}" if server == "s.whatsapp.net" else Phrase("A guest")

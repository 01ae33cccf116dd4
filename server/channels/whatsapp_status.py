"""What the sidecar tells of a number besides messages: receipts, its line, who is who, who is typing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from server.domain.lines import LineState, Unreadable
from server.domain.messages import DeliveryState
from server.errors import UnprocessableRequest
from server.outbox.alerts import LineWatch
from server.ports.clock import Clock
from server.ports.queue import WorkQueue
from server.ports.store import IdentityStore, OutboxStore

# Phones repeat `composing` more often than this while somebody types.
TYPING_LASTS = timedelta(seconds=10)
_LONGEST_REASON = 200
_LONGEST_ADDRESS = 64
_LONGEST_ID = 512

_RECEIPT_STATES = {
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "failed": DeliveryState.FAILED,
}

log = structlog.get_logger(__name__)


class StatusReports:
    """Hands each part of a report to whom it concerns."""

    def __init__(
        self,
        outbox: OutboxStore,
        identities: IdentityStore,
        watch: LineWatch,
        lanes: WorkQueue,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._identities = identities
        self._watch = watch
        self._lanes = lanes
        self._clock = clock

    def take(self, tenant_id: str, payload: Mapping[str, Any]) -> int:
        """Act on a report; safe to be told again. Returns how many receipts were of messages we know.

        Raises:
            UnprocessableRequest: a part of it cannot be read.
            NotFound: there is no such tenant.
            StoreUnavailable: tell it again.
        """
        for lid, phone in _mappings(payload):
            self._identities.link(tenant_id, lid, phone)
        known = sum(self._record_receipt(tenant_id, receipt) for receipt in _objects(payload, "receipts"))
        for jid, is_typing in _presence(payload):
            until = self._clock.now() + TYPING_LASTS if is_typing else None
            self._identities.note_typing(tenant_id, jid, until)
        self._watch.report_unreadable(tenant_id, list(_unreadable(payload)))
        self._take_line(tenant_id, payload.get("connection"))
        return known

    def _take_line(self, tenant_id: str, connection: object) -> None:
        if not isinstance(connection, Mapping):
            return
        line = _line(connection, self._clock.now())
        log.info("whatsapp.connection", tenant=tenant_id, state=line.state)
        if line.is_open:
            for lane in self._outbox.wake_tenant(tenant_id):
                self._lanes.put(lane)
        self._watch.observe(tenant_id, line)

    def _record_receipt(self, tenant_id: str, receipt: Mapping[str, Any]) -> bool:
        message_id, code = receipt.get("id"), receipt.get("code")
        state = _RECEIPT_STATES.get(str(receipt.get("status")))
        if not isinstance(message_id, str) or state is None:
            raise UnprocessableRequest(
                "a receipt needs an id and a status of sent, delivered, read or failed"
            )
        moment = _moment(receipt.get("at"), "a receipt's at")
        return self._outbox.record_receipt(
            tenant_id, message_id, state, moment, f"code {code}" if code else ""
        )


def _mappings(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for mapping in _objects(payload, "mappings"):
        lid, phone = _jid(mapping, "lid"), _jid(mapping, "pn")
        if not lid.endswith("@lid") or not phone.endswith("@s.whatsapp.net"):
            raise UnprocessableRequest("a mapping needs a lid ending in @lid and a pn in @s.whatsapp.net")
        yield lid, phone


def _presence(payload: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for presence in _objects(payload, "presence"):
        state = presence.get("state")
        if state not in ("composing", "paused"):
            raise UnprocessableRequest("a presence's state must be composing or paused")
        yield _jid(presence, "from"), state == "composing"


def _unreadable(payload: Mapping[str, Any]) -> Iterator[Unreadable]:
    for message in _objects(payload, "unreadable"):
        message_id = message.get("id")
        if not isinstance(message_id, str) or not 0 < len(message_id) <= _LONGEST_ID:
            raise UnprocessableRequest("an unreadable message needs its id")
        yield Unreadable(message_id, _jid(message, "from"), _moment(message.get("at"), "its at"))


def _line(connection: Mapping[str, Any], now: datetime) -> LineState:
    since = connection.get("since")
    return LineState(
        state=str(connection.get("state"))[:32],
        is_linked=connection.get("linked") is True,
        # By our own clock: how long it has lasted is told, when it began may be off.
        down_since=None if since is None else now - _elapsed(connection.get("at"), since),
        reason=str(connection.get("reason") or "")[:_LONGEST_REASON],
        at=now,
    )


def _elapsed(at: object, since: object) -> timedelta:
    return max(timedelta(0), _moment(at, "a connection's at") - _moment(since, "a connection's since"))


def _objects(payload: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    items = payload.get(name, [])
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise UnprocessableRequest(f"payload.{name} must be a list of objects")
    return items


def _jid(item: Mapping[str, Any], name: str) -> str:
    jid = item.get(name)
    if not isinstance(jid, str) or "@" not in jid or not jid.isascii() or len(jid) > _LONGEST_ADDRESS:
        raise UnprocessableRequest(f"{name} must be an address of WhatsApp")
    return jid


def _moment(value: object, what: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(value) / 1000, UTC)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        raise UnprocessableRequest(f"{what} must be milliseconds since 1970") from None

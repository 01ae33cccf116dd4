"""Writes conversations straight into the tables, as they look once everything has happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import update

from server.domain.messages import DeliveryState
from server.store.models import (
    CallRow,
    ConversationEventRow,
    ConversationRow,
    GuestRow,
    InboundRow,
    OutboxRow,
    RecordingRow,
    TurnRow,
)
from server.store.session import Database

_numbers = count(1)

_MADE_BEFORE = [DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ]


class ThreadBuilder:
    """One conversation that grows line by line; ``at`` is its time, moved on by each line."""

    def __init__(self, database: Database, at: datetime, tenant_id: str = "1", **guest: Any) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self.at = at
        number = next(_numbers)
        values = {"phone": f"97250{number:07d}@s.whatsapp.net", "name": f"Guest {number}"} | guest
        guest_row = GuestRow(tenant_id=tenant_id, created_at=at, **values)
        with database.write() as session:
            session.add(guest_row)
            session.flush()
            conversation = ConversationRow(
                tenant_id=tenant_id, guest_id=guest_row.id, last_message_at=at, created_at=at
            )
            session.add(conversation)
        self._guest_id = guest_row.id
        self.id = conversation.id

    def set(self, **values: Any) -> None:
        """Change the conversation itself, such as ``mode``."""
        with self._database.write() as session:
            session.execute(update(ConversationRow).where(ConversationRow.id == self.id).values(**values))

    def needs_a_person(self) -> None:
        """Since what was said last."""
        self.set(needs_human_since=self.at)

    def guest_says(self, text: str, after_s: float = 30, **changes: Any) -> int:
        """A message that came in; returns its id."""
        self.at += timedelta(seconds=after_s)
        values: dict[str, Any] = {
            "tenant_id": self._tenant_id,
            "conversation_id": self.id,
            "guest_id": self._guest_id,
            "channel": "whatsapp",
            "from_me": False,
            "provider_id": f"IN{next(_numbers)}",
            "reply_to": "guest@lid",
            "kind": "text",
            "text": text,
            "details": {},
            "sent_at": self.at,
            "received_at": self.at,
            "due_at": self.at,
            "handled_at": self.at,
        }
        return self._add(InboundRow(**(values | changes)))

    def phone_says(self, text: str, after_s: float = 30) -> int:
        """A message that the host wrote on the business's own phone; returns its id."""
        return self.guest_says(text, after_s, from_me=True)

    def reply(
        self,
        text: str,
        covers: list[int] | None = None,
        state: DeliveryState = DeliveryState.DELIVERED,
        after_s: float = 1.4,
        turn: dict[str, Any] | None = None,
        **changes: Any,
    ) -> int:
        """A committed reply with its turn, half a second from one state to the next; returns its id."""
        self.at += timedelta(seconds=after_s)
        step = timedelta(seconds=0.5)
        times = {f"{made}_at": self.at + step * (place + 1) for place, made in enumerate(_reached(state))}
        values: dict[str, Any] = {
            "tenant_id": self._tenant_id,
            "conversation_id": self.id,
            "turn_id": self._add_turn(turn or {}),
            "lane": f"conversation:{self.id}",
            "channel": "whatsapp",
            "kind": "reply",
            "to_address": "guest@lid",
            "text": text,
            "message_id": f"OUT{next(_numbers)}",
            "state": state,
            "due_at": self.at,
            "committed_at": self.at,
        }
        reply_id = self._add(OutboxRow(**(values | times | changes)))
        with self._database.write() as session:
            session.execute(
                update(InboundRow).where(InboundRow.id.in_(covers or [])).values(covered_by=reply_id)
            )
        return reply_id

    def calls(
        self, call_id: str, recordings: Sequence[str] = (), seconds: int = 60, after_s: float = 30
    ) -> None:
        """The guest calls; *recordings* are those of the call by name, a minute apart."""
        self.at += timedelta(seconds=after_s)
        call = CallRow(
            id=call_id,
            tenant_id=self._tenant_id,
            conversation_id=self.id,
            caller="+972501111111",
            called="+97231234567",
            next_step="hang_up",
            started_at=self.at,
            ended_at=self.at + timedelta(seconds=seconds),
            seconds=seconds,
        )
        with self._database.write() as session:
            session.add(call)
            session.flush()
            for place, name in enumerate(recordings):
                begun_at = self.at + timedelta(minutes=place)
                session.add(
                    RecordingRow(
                        name=name, tenant_id=self._tenant_id, call_id=call_id, begun_at=begun_at, seconds=50.0
                    )
                )

    def happens(self, kind: str, actor: str = "api", after_s: float = 1, **details: Any) -> None:
        """Something beside the messages, such as a takeover."""
        self.at += timedelta(seconds=after_s)
        with self._database.write() as session:
            session.add(
                ConversationEventRow(
                    tenant_id=self._tenant_id,
                    conversation_id=self.id,
                    kind=kind,
                    actor=actor,
                    details=details,
                    at=self.at,
                )
            )

    def _add_turn(self, changes: dict[str, Any]) -> str:
        turn_id = f"turn-{next(_numbers)}"
        values: dict[str, Any] = {
            "id": turn_id,
            "tenant_id": self._tenant_id,
            "conversation_id": self.id,
            "source": "knowledge",
            "language": "en",
            "handover": False,
            "citations": [],
            "timings_ms": {},
            "started_at": self.at,
            "committed_at": self.at,
        }
        with self._database.write() as session:
            session.add(TurnRow(**(values | changes)))
        return turn_id

    def _add(self, row: InboundRow | OutboxRow) -> int:
        with self._database.write() as session:
            session.add(row)
            session.execute(
                update(ConversationRow).where(ConversationRow.id == self.id).values(last_message_at=self.at)
            )
        return row.id


def _reached(state: DeliveryState) -> list[DeliveryState]:
    return _MADE_BEFORE[: _MADE_BEFORE.index(state) + 1] if state in _MADE_BEFORE else []

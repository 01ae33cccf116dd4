"""A business with two busy weeks behind it, for the overview and the morning report."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from typing import Any

from server.domain.questions import QuestionState
from server.domain.reports import business_day_of
from server.domain.tenants import TenantSettings
from server.store.models import (
    CallRow,
    ConversationRow,
    DocumentRow,
    GuestRow,
    InboundRow,
    LineReportRow,
    OutboxRow,
    QuestionRow,
    SpendRow,
    TurnRow,
)
from server.store.session import Database
from server.store.tenants import Tenants

_DAYS = 14
# How much is written in each hour of the clock.
_BY_HOUR = (0, 0, 0, 0, 0, 0, 1, 3, 6, 7, 5, 4, 3, 4, 6, 7, 6, 5, 4, 4, 3, 2, 1, 0)
_GUESTS = ("Maya Rosen", "נועם לוי", "Tom Becker", "Ines Prado", "Dana Levi", "أحمد حداد", "W" * 60, None)
_ASKED = (
    ("May we bring our own cook for Friday dinner?", "not_known", "en"),
    ("אפשר לבוא עם תוכי לחדר 12-AB? הטלפון שלי +972 54 123 4567", "not_known", "he"),
    (f"A person, please, about booking https://example.com/{'a' * 90}", "asked_for_person", "en"),
    ("<script>document.title = 'taken over'</script>", "not_all_known", "en"),
)  # fmt: skip


def write_busy_days(database: Database, tenants: Tenants, tenant_id: str, now: datetime) -> None:
    """Fill business *tenant_id* up to *now*."""
    tenants.add(tenant_id, TenantSettings(name="Busy Bay · מפרץ", daily_budget_usd=5))
    zone = tenants.get(tenant_id).settings.zone
    today = business_day_of(now, zone)
    writer = _Writer(database, tenant_id, now, today.span.start - timedelta(days=_DAYS))
    for ago in range(_DAYS - 1, -1, -1):
        day = today.shifted(-ago)
        writer.writes_day(
            [datetime.combine(day.date, time(hour), zone) for hour in range(24)],
            share=0.5 + (ago * 5 % 7) / 8,
        )
        writer.spends(day.date.isoformat(), round(1_200_000 + 500_000 * (ago * 3 % 5)))
    writer.promises(today.shifted(-1).span.start + timedelta(hours=10))
    writer.done()


class _Writer:
    """Gathers rows, and adds them all at once."""

    def __init__(self, database: Database, tenant_id: str, now: datetime, began_at: datetime) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._now = now
        self._random = random.Random(7)  # noqa: S311 - repeatable on purpose
        self._number = 0
        self._rows: list[Any] = []
        self._threads: list[tuple[int, int]] = []
        with database.write() as session:
            for place, name in enumerate(_GUESTS):
                phone = f"97255{place:07d}@s.whatsapp.net"
                guest = GuestRow(tenant_id=tenant_id, phone=phone, name=name, created_at=began_at)
                session.add(guest)
                session.flush()
                thread = ConversationRow(
                    tenant_id=tenant_id,
                    guest_id=guest.id,
                    language=("en", "he", None)[place % 3],
                    last_message_at=now,
                    created_at=began_at,
                    needs_human_since=now - timedelta(minutes=11 * 7**place) if place < 4 else None,
                    mode="ai",
                )
                session.add(thread)
                session.flush()
                self._threads.append((thread.id, guest.id))

    def writes_day(self, hours: list[datetime], share: float) -> None:
        """Guests ask, the desk answers most of it and people the rest."""
        for begins, weight in zip(hours, _BY_HOUR, strict=True):
            for _ in range(round(weight * share * 2)):
                at = begins + timedelta(seconds=self._random.randrange(3_500))
                if at < self._now - timedelta(minutes=1):
                    thread = self._random.choice(self._threads)
                    self._exchange(thread, at, by_staff=self._random.random() < 0.2)

    def spends(self, day: str, micros: int) -> None:
        self._rows.append(SpendRow(tenant_id=self._tenant_id, day=day, conversation_id=0, cost_micros=micros))

    def promises(self, at: datetime) -> None:
        """One a guest, of which staff have kept two; a question and a complaint, and calls."""
        for place, (words, reason, language) in enumerate(_ASKED):
            asked_at = at + timedelta(minutes=9 * place)
            thread = self._threads[place]
            turn = {"handover": True, "reason": reason, "language": language}
            if place == 2:
                turn["analysis"] = {"sentiment": "negative"}
            turn_id = self._exchange(thread, asked_at, by_staff=False, words=words, turn=turn)
            if place in (0, 3):
                self._question(thread[0], turn_id, words, language, asked_at)
        self._answer(self._threads[0][0], at + timedelta(minutes=40))
        for place, because in enumerate(("completed", "completed", "no-answer")):
            self._rows.append(
                CallRow(
                    id=f"CA-busy-{place}",
                    tenant_id=self._tenant_id,
                    conversation_id=self._threads[place][0],
                    caller="+972550000000",
                    called="+97231234567",
                    next_step="hang_up",
                    started_at=at + timedelta(hours=place),
                    ended_because=because,
                    seconds=95,
                )
            )
        self._rows.append(LineReportRow(tenant_id=self._tenant_id, is_linked=True, reported_at=self._now))
        self._rows.append(
            DocumentRow(
                tenant_id=self._tenant_id, id="check-in", title="Check-in", body="From 15:00.", language="en",
                valid_from="", valid_until="", hours="", source="", content_hash="x", updated_at=at,
            )
        )  # fmt: skip

    def done(self) -> None:
        """Add them all."""
        with self._database.write() as session:
            for kind in (
                TurnRow,
                OutboxRow,
                InboundRow,
                QuestionRow,
                CallRow,
                LineReportRow,
                SpendRow,
                DocumentRow,
            ):
                session.add_all([row for row in self._rows if isinstance(row, kind)])
                session.flush()

    def _answer(self, conversation_id: int, at: datetime) -> None:
        """Staff keep what was promised."""
        self._rows.append(
            OutboxRow(
                id=2_000_000,
                tenant_id=self._tenant_id,
                conversation_id=conversation_id,
                lane=f"conversation:{conversation_id}",
                channel="whatsapp",
                kind="staff",
                to_address="guest@lid",
                text="Of course, the kitchen is yours.",
                message_id="BUSY-KEPT",
                state="read",
                due_at=at,
                committed_at=at,
                sent_at=at,
            )
        )

    def _question(self, conversation_id: int, turn_id: str, words: str, language: str, at: datetime) -> None:
        self._rows.append(
            QuestionRow(
                tenant_id=self._tenant_id,
                conversation_id=conversation_id,
                turn_id=turn_id,
                text=words,
                language=language,
                state=QuestionState.OPEN,
                asked_at=at,
            )
        )

    def _exchange(
        self,
        thread: tuple[int, int],
        at: datetime,
        *,
        by_staff: bool,
        words: str = "When is check-in?",
        turn: dict[str, Any] | None = None,
    ) -> str:
        """A question and its answer; the turn's id."""
        self._number += 1
        conversation_id, guest_id = thread
        turn_id, reply_id = f"busy-{self._number}", 1_000_000 + self._number
        took = timedelta(seconds=self._random.uniform(60, 900) if by_staff else self._random.uniform(0.8, 4))
        common = {"tenant_id": self._tenant_id, "conversation_id": conversation_id, "channel": "whatsapp"}
        if not by_staff:
            values = {"language": "en", "handover": False} | (turn or {})
            self._rows.append(
                TurnRow(
                    id=turn_id,
                    tenant_id=self._tenant_id,
                    conversation_id=conversation_id,
                    source="knowledge",
                    started_at=at,
                    committed_at=at + took,
                    **values,
                )
            )
        self._rows.append(
            OutboxRow(
                **common,
                id=reply_id,
                turn_id=None if by_staff else turn_id,
                lane=f"conversation:{conversation_id}",
                kind="staff" if by_staff else "reply",
                to_address="guest@lid",
                text="From 15:00.",
                message_id=f"BUSY{self._number}",
                state="read",
                due_at=at,
                committed_at=at + took,
                sent_at=at + took,
            )
        )
        self._rows.append(
            InboundRow(
                **common,
                guest_id=guest_id,
                from_me=False,
                provider_id=f"BUSY{self._number}",
                reply_to="guest@lid",
                kind="text",
                text=words,
                sent_at=at,
                received_at=at,
                due_at=at,
                handled_at=at,
                covered_by=None if by_staff else reply_id,
                unanswered_because="human" if by_staff else "",
            )
        )
        return turn_id

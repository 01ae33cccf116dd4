"""A guest with a row in every table that can hold one of theirs."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from server.domain.messages import Channel, DeliveryState
from server.domain.modes import Actor, ModeBy
from server.ports.media import MediaShelf
from server.store.audit import add_audit
from server.store.models import (
    CallRow,
    ConversationRow,
    DraftRow,
    LabelRow,
    ModelCallRow,
    NoteRow,
    OutboxRow,
    QuestionRow,
    SpendRow,
    TurnRow,
)
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.threads import ThreadBuilder

# What tells of the guest: every text that is written for them has one of these in it.
NAME, NUMBER, LID, WORD = "Zelda Quist", "972529998877", "88112233445566", "marzipan"
MARKS = [NAME, NUMBER, LID, WORD]
CALL_ID = f"CA-{WORD}"
RECORDING = "a-recording"


class FullGuest:
    """One guest of a tenant's, with ids of what is theirs."""

    def __init__(self, database: Database, clock: FakeClock, media: MediaShelf, tenant_id: str = "1") -> None:
        self._database = database
        self._tenant_id = tenant_id
        thread = ThreadBuilder(
            database,
            clock.now() - timedelta(days=1),
            tenant_id,
            name=NAME,
            phone=f"{NUMBER}@s.whatsapp.net",
            lid=f"{LID}@lid",
        )
        self.conversation_id = thread.id
        asked = thread.guest_says(
            f"Have you got {WORD}?",
            reply_to=f"{LID}@lid",
            quoted={"id": "x", "text": WORD},
            provider_id=f"IN-{WORD}",
        )
        self.message_id = thread.guest_says(
            WORD, kind="image", details={"media": {"key": {"id": WORD}}, "file_name": f"{WORD}.jpg"}
        )
        turn = {"analysis": {"intent": WORD}, "quick_replies": [WORD], "intended": WORD, "reason": WORD}
        self.answer_id = thread.reply(f"{WORD}, yes", covers=[asked], to_address=f"{LID}@lid", turn=turn)
        thread.calls(CALL_ID, recordings=[RECORDING])
        thread.happens("takeover", actor="console: Dan", mode="human")
        self._fill(clock.now())
        with media.keep(tenant_id, self.message_id) as file:
            file.write(WORD.encode())

    def _fill(self, now: datetime) -> None:
        tenant = {"tenant_id": self._tenant_id}
        place = {**tenant, "conversation_id": self.conversation_id}
        with self._database.write() as session:
            conversation = session.get_one(ConversationRow, self.conversation_id)
            conversation.offered, conversation.language = [WORD], "en"
            self.guest_id = conversation.guest_id
            turns = select(TurnRow.id).where(TurnRow.conversation_id == self.conversation_id)
            turn_id = session.scalars(turns).one()
            call = session.get_one(CallRow, CALL_ID)
            call.caller, call.to_say = f"+{NUMBER}", WORD
            draft = DraftRow(
                **place, inbound_id=self.message_id, text=WORD, source="model", citations=[{"title": WORD}],
                state="open", made_at=now,
            )  # fmt: skip
            question = QuestionRow(
                **place, turn_id=turn_id, text=WORD, language="en", state="open", asked_at=now
            )
            session.add_all(
                [
                    draft,
                    question,
                    NoteRow(**place, author="Dan", text=f"{NAME} likes {WORD}", at=now),
                    LabelRow(**place, label=WORD),
                    SpendRow(**place, day="2026-11-20", cost_micros=900),
                    SpendRow(**tenant, conversation_id=0, day="2026-11-20", cost_micros=900),
                    ModelCallRow(
                        **tenant, turn_id=turn_id, provider="openai", model="m", outcome="answered",
                        started_at=now, total_ms=5.0, waited_ms=0.0, prompt_tokens=7, completion_tokens=3,
                        cost_micros=900,
                    ),
                    *self._notices(now),
                ]
            )  # fmt: skip
            session.flush()
            self.draft_id, self.question_id = draft.id, question.id
            # What staff did is noted by the guest's number among ours.
            dan = Actor(ModeBy.CONSOLE, "Dan")
            add_audit(session, self._tenant_id, dan, "guest.exported", f"guest {self.guest_id}", now)

    def _notices(self, now: datetime) -> list[OutboxRow]:
        link = f"http://desk/console/conversations/{self.conversation_id}"
        event = json.dumps({"event": "needs_human", "url": link, "reason": WORD})
        told = {
            Channel.WHATSAPP: f"{NAME} needs a person:\n{WORD}\n{link}",
            Channel.STAFF_WEBHOOK: event,
            Channel.STAFF_EMAIL: f"A guest's message could not be read\n+{NUMBER} wrote",
        }
        return [a_notice(channel, text, now, tenant_id=self._tenant_id) for channel, text in told.items()]


def a_notice(channel: Channel, text: str, now: datetime, **changes: Any) -> OutboxRow:
    """What staff were told."""
    values: dict[str, Any] = {
        "tenant_id": "1",
        "lane": "staff:1:x",
        "channel": channel,
        "kind": "notice",
        "to_address": "+972541111111",
        "text": text,
        "message_id": f"N{hash(text)}"[:60],
        "state": DeliveryState.SENT,
        "due_at": now,
        "committed_at": now,
    }
    return OutboxRow(**(values | changes))

"""What the desk would have answered, until staff have sent it, changed it or dropped it.

Whoever adds, sends or drops one holds the conversation's row until the commit: there is never more than one
open draft of a conversation, and none is sent twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import takewhile

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from server.domain.conversations import HistoryLine, Mode, Reply, Speaker, Turn, WaitingMessage
from server.domain.drafts import Draft, DraftState
from server.domain.knowledge import Citation
from server.domain.messages import Channel, DeliveryState, MessageKind, OutboundKind
from server.domain.modes import Actor, StaffMessage
from server.domain.phrases import Phrase
from server.errors import Conflict, NotFound, UnprocessableRequest
from server.knowledge.choice import offers
from server.ports.clock import Clock
from server.ports.conversations import ModeStore
from server.store.audit import add_audit
from server.store.history import last_lines
from server.store.locked import locked_conversation
from server.store.models import ConversationRow, DraftRow, GuestRow, InboundRow, OutboxRow
from server.store.session import Database
from server.store.tenants import get_tenant_row, to_tenant
from server.store.turn_ids import turn_id_for
from server.store.waiting import to_waiting

# So many of a guest's last messages are answered at once.
MESSAGES_IN_A_DRAFT = 20
_ANSWERABLE = [kind for kind in MessageKind if kind.is_answerable]
_OUT = Phrase("the draft is out of date: look at the conversation, and at the newer one if there is one")
_TAKEN = Phrase("somebody of the team has already answered in place of this draft: look at the conversation")


class Drafts:
    """The ``DraftStore`` port."""

    def __init__(self, database: Database, clock: Clock, modes: ModeStore) -> None:
        self._database = database
        self._clock = clock
        self._modes = modes

    def open_draft(self, tenant_id: str, conversation_id: int) -> Draft | None:
        """The draft that waits for staff; None if there is none, or the guest has written more since."""
        with self._database.read() as session:
            row = session.scalars(
                select(DraftRow)
                .where(
                    DraftRow.tenant_id == tenant_id,
                    DraftRow.conversation_id == conversation_id,
                    DraftRow.state == DraftState.OPEN,
                )
                .order_by(DraftRow.id.desc())
                .limit(1)
            ).one_or_none()
            return None if row is None or _has_newer(session, row) else _to_draft(row)

    def find_question(self, tenant_id: str, conversation_id: int, history_lines: int) -> Turn:
        """What the guest has written since the business's last word."""
        with self._database.read() as session:
            found = session.execute(
                select(ConversationRow, GuestRow.name)
                .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
                .where(ConversationRow.id == conversation_id, ConversationRow.tenant_id == tenant_id)
            ).one_or_none()
            if found is None:
                raise NotFound("there is no such conversation")
            conversation, guest_name = found
            rows = _unanswered(session, conversation_id)
            if not rows:
                raise UnprocessableRequest(
                    Phrase("the last word is the business's: there is nothing to answer")
                )
            spoken = last_lines(session.connection(), conversation_id, history_lines + len(rows))
            return Turn(
                id=turn_id_for(tenant_id, conversation_id, rows[0].id, rows[0].provider_id),
                tenant=to_tenant(get_tenant_row(session, tenant_id)),
                conversation_id=conversation_id,
                channel=Channel(rows[-1].channel),
                mode=Mode(conversation.mode),
                reply_to=rows[-1].reply_to,
                guest_name=guest_name,
                messages=[_to_message(row) for row in rows],
                history=_up_to_our_last(spoken)[-history_lines:] if history_lines else (),
                offered=tuple(conversation.offered),
            )

    def keep(self, turn: Turn, reply: Reply) -> None:
        """Make *reply* the conversation's open draft, unless it has moved on."""
        with self._database.write() as session:
            conversation = locked_conversation(session, turn.tenant.id, turn.conversation_id)
            if Mode(conversation.mode) is Mode.AI:
                raise Conflict(Phrase("the desk answers this guest again: it needs no draft"))
            if _newest_of_guest(session, conversation.id) > turn.messages[-1].id:
                raise Conflict(Phrase("the guest has written more meanwhile: go back and ask again"))
            add_draft(session, turn, reply, self._clock.now())

    def send(
        self, tenant_id: str, conversation_id: int, draft_id: int, text: str | None, actor: Actor
    ) -> StaffMessage:
        """Send a draft as a message of staff's, in one transaction."""
        with self._database.write() as session, self._database.joining(session):
            draft = _draft_row(session, tenant_id, conversation_id, draft_id)
            words = draft.text if text is None else text
            self._decide(session, draft, words, text, actor)
            session.flush()
            try:
                # Its id follows from the draft, of which there may be another with this number once a guest
                # was erased: sent twice it is one message.
                client_id = f"draft-{draft_id}-{draft.made_at.isoformat()}"
                message = self._modes.write_as_staff(tenant_id, conversation_id, words, actor, client_id)
            except Conflict:
                raise Conflict(_TAKEN) from None
            if message.is_new:
                session.get_one(ConversationRow, conversation_id).offered = _offered(draft, words)
            return message

    def drop(self, tenant_id: str, conversation_id: int, draft_id: int, actor: Actor) -> None:
        """Nobody is to send it."""
        with self._database.write() as session:
            draft = _draft_row(session, tenant_id, conversation_id, draft_id)
            if draft.state == DraftState.OPEN:
                self._end(session, draft, DraftState.DROPPED, actor)

    def _decide(self, session: Session, draft: DraftRow, words: str, text: str | None, actor: Actor) -> None:
        """Note that *words* go out, if the draft waits for that.

        Raises:
            Conflict: it is out of date, and *text* has no words of staff's own.
        """
        if draft.state == DraftState.OPEN and not _has_newer(session, draft):
            state = DraftState.SENT if words == draft.text else DraftState.CHANGED
            self._end(session, draft, state, actor)
        elif text is None and draft.state not in (DraftState.SENT, DraftState.CHANGED):
            raise Conflict(_OUT)

    def _end(self, session: Session, draft: DraftRow, state: DraftState, actor: Actor) -> None:
        now = self._clock.now()
        draft.state, draft.decided_at, draft.decided_by = state, now, actor.name
        subject = f"conversation {draft.conversation_id}"
        add_audit(session, draft.tenant_id, actor, f"draft.{state}", subject, now, draft=draft.id)


def add_draft(session: Session, turn: Turn, reply: Reply, now: datetime) -> None:
    """Make *reply* the open draft of the turn's conversation, whose row is locked."""
    close_drafts(session, turn.conversation_id, now)
    session.add(
        DraftRow(
            tenant_id=turn.tenant.id,
            conversation_id=turn.conversation_id,
            inbound_id=turn.messages[-1].id,
            text=reply.text,
            source=reply.source,
            citations=[asdict(citation) for citation in reply.citations],
            model=reply.model,
            prompt_version=reply.prompt_version,
            state=DraftState.OPEN,
            made_at=now,
        )
    )


def with_unanswered(session: Session, turn: Turn) -> Turn:
    """*turn* with what was left to staff before it and has no answer yet."""
    before = [
        _to_message(row)
        for row in _unanswered(session, turn.conversation_id)
        if row.id < turn.messages[0].id and row.channel == turn.channel
    ]
    if not before:
        return turn
    return replace(turn, messages=[*before, *turn.messages], history=_up_to_our_last(turn.history))


def close_drafts(session: Session, conversation_id: int, now: datetime) -> None:
    """What is open in the conversation, whose row is locked, is out of date."""
    session.execute(
        update(DraftRow)
        .where(DraftRow.conversation_id == conversation_id, DraftRow.state == DraftState.OPEN)
        .values(state=DraftState.OUTDATED, decided_at=now)
    )


def move_drafts(session: Session, leaving_id: int, staying_id: int, now: datetime) -> None:
    """Give a conversation's drafts to the one that it is joined with, where what was said is another now."""
    close_drafts(session, leaving_id, now)
    session.execute(
        update(DraftRow).where(DraftRow.conversation_id == leaving_id).values(conversation_id=staying_id)
    )


def _draft_row(session: Session, tenant_id: str, conversation_id: int, draft_id: int) -> DraftRow:
    """The draft, its conversation locked.

    Raises:
        NotFound: the tenant's conversation has no such draft.
    """
    locked_conversation(session, tenant_id, conversation_id)
    draft = session.get(DraftRow, draft_id, populate_existing=True)
    if draft is None or (draft.tenant_id, draft.conversation_id) != (tenant_id, conversation_id):
        raise NotFound("there is no such draft")
    return draft


def _offered(draft: DraftRow, words: str) -> list[str]:
    """The documents that *words* offer as numbered choices, if they are those that the draft names."""
    titles = [citation["title"] for citation in draft.citations]
    return [citation["document"] for citation in draft.citations] if offers(words, titles) else []


def _has_newer(session: Session, draft: DraftRow) -> bool:
    return _newest_of_guest(session, draft.conversation_id) > draft.inbound_id


def _newest_of_guest(session: Session, conversation_id: int) -> int:
    newest = (
        select(InboundRow.id)
        .where(
            InboundRow.conversation_id == conversation_id,
            InboundRow.from_me.is_(False),
            InboundRow.kind.in_(_ANSWERABLE),
        )
        .order_by(InboundRow.id.desc())
        .limit(1)
    )
    return session.scalars(newest).one_or_none() or 0


def _unanswered(session: Session, conversation_id: int) -> Sequence[InboundRow]:
    """The guest's last messages in writing that nothing of the business's stands behind, oldest first."""
    last_word_at = session.scalar(
        select(func.max(OutboxRow.committed_at)).where(
            OutboxRow.conversation_id == conversation_id,
            OutboxRow.kind.in_([OutboundKind.REPLY, OutboundKind.STAFF]),
            OutboxRow.state.not_in([DeliveryState.FAILED, DeliveryState.CANCELLED]),
        )
    )
    newest_first = session.scalars(
        select(InboundRow)
        .where(
            InboundRow.conversation_id == conversation_id,
            InboundRow.kind.in_(_ANSWERABLE),
            InboundRow.channel != Channel.VOICE,
        )
        .order_by(InboundRow.id.desc())
        .limit(MESSAGES_IN_A_DRAFT)
    )
    rows = list(takewhile(lambda row: not _is_answered(row, last_word_at), newest_first))
    return [row for row in rows[::-1] if not row.from_me]


def _is_answered(row: InboundRow, last_word_at: datetime | None) -> bool:
    """Whether the business has spoken since, or here. What its phone sends by itself is no word of it."""
    is_ours = row.from_me and not row.details.get("automatic")
    return is_ours or (last_word_at is not None and row.received_at <= last_word_at)


def _up_to_our_last(lines: Sequence[HistoryLine]) -> Sequence[HistoryLine]:
    """Without what the guest has said since: that is the question."""
    ours = [place for place, line in enumerate(lines) if line.speaker is Speaker.HOST]
    return lines[: ours[-1] + 1] if ours else ()


def _to_message(row: InboundRow) -> WaitingMessage:
    # What was tried when it came in does not count against the draft.
    return replace(to_waiting(row), attempts=0)


def _to_draft(row: DraftRow) -> Draft:
    return Draft(
        id=row.id,
        inbound_id=row.inbound_id,
        text=row.text,
        source=row.source,
        citations=[Citation(**citation) for citation in row.citations],
        model=row.model,
        prompt_version=row.prompt_version,
        made_at=row.made_at,
    )

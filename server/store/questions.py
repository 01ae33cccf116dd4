"""Questions that the desk could not answer: kept with the turn, answered once by staff, told to who waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from server.domain.conversations import Reply, Turn, Unanswered
from server.domain.knowledge import Document
from server.domain.messages import Channel, DeliveryState, OutboundKind
from server.domain.modes import Actor, EventKind
from server.domain.phrases import Phrase
from server.domain.questions import (
    Question,
    QuestionPage,
    QuestionState,
    Settled,
    grouped,
    misses_knowledge,
    same_words,
)
from server.errors import Conflict, NotFound, UnprocessableRequest
from server.ports.clock import Clock
from server.store.audit import add_audit
from server.store.knowledge import Knowledge, content_hash, lock_knowledge
from server.store.models import (
    ConversationEventRow,
    ConversationRow,
    DocumentRow,
    GuestRow,
    InboundRow,
    OutboxRow,
    QuestionRow,
    TurnRow,
)
from server.store.modes import guest_address, is_left_waiting, staff_row
from server.store.session import Database
from server.store.turn_ids import message_id_for

QUESTIONS_ON_A_PAGE = 50
# Among so many of the newest open ones those of the same words are looked for.
_LOOKED_THROUGH = 2_000
_BY_THE_HOUSE = (Unanswered.STALE, Unanswered.PAUSED)


def note_question(database: Database, session: Session, turn: Turn, reply: Reply, now: datetime) -> None:
    """Keep what *turn* asks if no document answers it, once, in the transaction that keeps the turn."""
    if not misses_knowledge(turn, reply):
        return
    session.execute(
        database.insert(QuestionRow)
        .values(
            tenant_id=turn.tenant.id,
            conversation_id=turn.conversation_id,
            turn_id=turn.id,
            text=turn.question,
            language=reply.language,
            state=QuestionState.OPEN,
            asked_at=now,
        )
        .on_conflict_do_nothing()
    )


class Questions:
    """Open questions, and what staff do about them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._knowledge = Knowledge(database, clock)

    def open_count(self, tenant_id: str) -> int:
        """How many wait for an answer."""
        with self._database.read() as session:
            query = select(func.count()).select_from(QuestionRow)
            return session.scalar(query.where(*_open_of(tenant_id))) or 0

    def page(
        self, tenant_id: str, before: int | None = None, limit: int = QUESTIONS_ON_A_PAGE
    ) -> QuestionPage:
        """Open questions older than *before*, those of the same words together."""
        query = _with_guests().where(*_open_of(tenant_id))
        if before is not None:
            query = query.where(QuestionRow.id < before)
        with self._database.read() as session:
            rows = session.execute(query.order_by(QuestionRow.id.desc()).limit(limit + 1)).all()
        questions = [_to_question(row, name) for row, name in rows[:limit]]
        return QuestionPage(grouped(questions), questions[-1].id if len(rows) > limit else None)

    def get(self, tenant_id: str, question_id: int) -> Question:
        """Raises NotFound: the tenant has no such question."""
        query = _with_guests().where(QuestionRow.tenant_id == tenant_id, QuestionRow.id == question_id)
        with self._database.read() as session:
            found = session.execute(query).one_or_none()
        if found is None:
            raise NotFound("there is no such question")
        return _to_question(*found)

    def alike(self, tenant_id: str, question: Question) -> Sequence[Question]:
        """The open ones of the same words, newest first; *question* is among them while it is open."""
        with self._database.read() as session:
            ids = _ids_alike(session, tenant_id, question.text)
            query = _with_guests().where(QuestionRow.id.in_([*ids, question.id]), *_open_of(tenant_id))
            rows = session.execute(query.order_by(QuestionRow.id.desc())).all()
        return [_to_question(row, name) for row, name in rows]

    def told(self, tenant_id: str, question: Question) -> int:
        """How many guests the answer to *question* was written to."""
        if question.document_id is None:
            return 0
        with self._database.read() as session:
            rows = session.scalars(
                select(QuestionRow).where(
                    QuestionRow.tenant_id == tenant_id, QuestionRow.document_id == question.document_id
                )
            )
            sent = select(func.count()).where(
                OutboxRow.tenant_id == tenant_id,
                OutboxRow.channel.in_([Channel.WHATSAPP, Channel.CHAT]),
                OutboxRow.message_id.in_([_message_id(row) for row in rows]),
            )
            return session.scalar(sent) or 0

    def answer(
        self, tenant_id: str, question_id: int, answer: Document, actor: Actor, *, tells_guests: bool
    ) -> Settled:
        """Keep *answer* as a document, close all open questions of the same words, and write to who waits.

        All in one transaction, and once: the same answer again finds what the first has done. A guest whom
        staff have written to since is not written to; who answers a conversation stays as it is.

        Args:
            answer: its id is given here (``answer-12``).

        Raises:
            Conflict: somebody else has answered the question otherwise, or dismissed it.
            NotFound: the tenant has no such question.
        """
        with self._database.write() as session, self._database.joining(session):
            asked = _of_tenant(session, tenant_id, question_id)
            # Conversations first, as whoever commits a reply: nobody waits crosswise.
            conversations = _lock_conversations(session, tenant_id, [question_id, *_alike(session, asked)])
            lock_knowledge(session, tenant_id)
            rows = _lock_open(session, tenant_id, [question_id, *_alike(session, asked)], conversations)
            if asked.state != QuestionState.OPEN:
                return _repeated(session, asked, answer)
            if asked not in rows:
                raise Conflict(Phrase("two conversations were being joined: go back and send it again"))
            now = self._clock.now()
            document = replace(answer, id=_free_id(session, tenant_id, question_id))
            self._knowledge.put_documents(tenant_id, [document])
            for row in rows:
                row.state, row.document_id = QuestionState.ANSWERED, document.id
                row.answered_at, row.answered_by = now, actor.name
            session.flush()
            lanes = _tell(session, rows, conversations, answer.body, now) if tells_guests else []
            add_audit(
                session,
                tenant_id,
                actor,
                "question.answered",
                f"question {question_id}",
                now,
                document=document.id,
                questions=len(rows),
                told=len(lanes),
            )
        return Settled(document.id, lanes)

    def dismiss(self, tenant_id: str, question_id: int, actor: Actor) -> None:
        """Close the open questions of the same words without an answer.

        Raises:
            NotFound: the tenant has no such question.
        """
        with self._database.write() as session:
            asked = _of_tenant(session, tenant_id, question_id)
            ids = [question_id, *_alike(session, asked)]
            conversations = _lock_conversations(session, tenant_id, ids)
            rows = _lock_open(session, tenant_id, ids, conversations)
            if asked.state != QuestionState.OPEN:
                return
            now = self._clock.now()
            for row in rows:
                row.state, row.answered_at, row.answered_by = QuestionState.DISMISSED, now, actor.name
            session.flush()
            for conversation_id in {row.conversation_id for row in rows}:
                if not is_left_waiting(session, conversation_id):
                    _stop_waiting(session, conversations[conversation_id])
            subject = f"question {question_id}"
            add_audit(session, tenant_id, actor, "question.dismissed", subject, now, questions=len(rows))


def _open_of(tenant_id: str) -> tuple[ColumnElement[bool], ...]:
    return (QuestionRow.tenant_id == tenant_id, QuestionRow.state == QuestionState.OPEN)


def _with_guests() -> Select[QuestionRow, str | None]:
    return (
        select(QuestionRow, GuestRow.name)
        .join(ConversationRow, ConversationRow.id == QuestionRow.conversation_id)
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
    )


def _to_question(row: QuestionRow, guest: str | None) -> Question:
    return Question(
        id=row.id,
        conversation_id=row.conversation_id,
        guest=guest or "",
        text=row.text,
        language=row.language,
        state=QuestionState(row.state),
        asked_at=row.asked_at,
        document_id=row.document_id,
        answered_at=row.answered_at,
        answered_by=row.answered_by,
    )


def _of_tenant(session: Session, tenant_id: str, question_id: int) -> QuestionRow:
    row = session.get(QuestionRow, question_id)
    if row is None or row.tenant_id != tenant_id:
        raise NotFound("there is no such question")
    return row


def _alike(session: Session, asked: QuestionRow) -> Sequence[int]:
    return _ids_alike(session, asked.tenant_id, asked.text)


def _ids_alike(session: Session, tenant_id: str, text: str) -> Sequence[int]:
    """Open questions of the same words."""
    words = same_words(text)
    if not words:
        return []
    newest = select(QuestionRow.id, QuestionRow.text).where(*_open_of(tenant_id))
    rows = session.execute(newest.order_by(QuestionRow.id.desc()).limit(_LOOKED_THROUGH))
    return [row.id for row in rows if same_words(row.text) == words]


def _lock_conversations(
    session: Session, tenant_id: str, question_ids: Sequence[int]
) -> dict[int, ConversationRow]:
    of_questions = select(QuestionRow.conversation_id).where(QuestionRow.id.in_(question_ids))
    rows = session.scalars(
        select(ConversationRow)
        .where(ConversationRow.tenant_id == tenant_id, ConversationRow.id.in_(of_questions))
        .order_by(ConversationRow.id)
        .with_for_update()
    )
    return {row.id: row for row in rows}


def _lock_open(
    session: Session, tenant_id: str, question_ids: Sequence[int], conversations: dict[int, ConversationRow]
) -> Sequence[QuestionRow]:
    """Those that are still open, as they are now, oldest first; of conversations that are locked."""
    rows = session.scalars(
        select(QuestionRow)
        .where(QuestionRow.id.in_(question_ids))
        .order_by(QuestionRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return [
        row
        for row in rows
        if row.tenant_id == tenant_id
        and row.state == QuestionState.OPEN
        and row.conversation_id in conversations
    ]


def _repeated(session: Session, asked: QuestionRow, answer: Document) -> Settled:
    """What the same answer has done before."""
    known = session.get(DocumentRow, (asked.tenant_id, asked.document_id)) if asked.document_id else None
    if known is None or known.content_hash != content_hash(answer):
        raise Conflict(
            Phrase(
                "{name} has answered or dismissed this question already",
                name=asked.answered_by or Phrase("somebody"),
            )
        )
    return Settled(known.id, [])


def _free_id(session: Session, tenant_id: str, question_id: int) -> str:
    first = f"answer-{question_id}"
    candidates = (first if number == 1 else f"{first}-{number}" for number in count(1))
    return next(key for key in candidates if session.get(DocumentRow, (tenant_id, key)) is None)


def _tell(
    session: Session,
    rows: Sequence[QuestionRow],
    conversations: dict[int, ConversationRow],
    text: str,
    now: datetime,
) -> list[str]:
    """Write to each guest who waits for one of *rows*, once; the lanes that have news."""
    lanes = []
    # Of several questions of one guest the newest counts.
    for conversation_id, row in {row.conversation_id: row for row in rows}.items():
        conversation = conversations[conversation_id]
        is_left = is_left_waiting(session, conversation_id)
        if not _is_answered_since(session, conversation_id, row.asked_at):
            try:
                channel, to = guest_address(session, conversation)
            except UnprocessableRequest:
                # Nobody knows where: it stays with staff.
                continue
            message_id = _message_id(row)
            message = staff_row(conversation, channel, to, text, message_id, now)
            session.add(message)
            conversation.last_message_at = now
            lanes.append(message.lane)
        if not is_left:
            _stop_waiting(session, conversation)
    return lanes


def _message_id(question: QuestionRow) -> str:
    # Once a guest was erased there may be another question with this number.
    cause = f"question:{question.id}:{question.asked_at.isoformat()}"
    return message_id_for(cause, OutboundKind.STAFF, question.tenant_id)


def _is_answered_since(session: Session, conversation_id: int, asked_at: datetime) -> bool:
    """Whether people have written to the guest since, in the console or on the business's own phone."""
    from_console = select(OutboxRow.id).where(
        OutboxRow.conversation_id == conversation_id,
        OutboxRow.kind == OutboundKind.STAFF,
        OutboxRow.committed_at >= asked_at,
    )
    from_phone = select(InboundRow.details).where(
        InboundRow.conversation_id == conversation_id,
        InboundRow.from_me,
        InboundRow.received_at >= asked_at,
    )
    if session.scalars(from_console.limit(1)).first() is not None:
        return True
    return any(not details.get("automatic") for details in session.scalars(from_phone))


def _stop_waiting(session: Session, conversation: ConversationRow) -> None:
    """The conversation needs nobody any more, unless for something else."""
    if conversation.needs_human and not _waits_for_more(session, conversation.id):
        conversation.needs_human_since = None


def _waits_for_more(session: Session, conversation_id: int) -> bool:
    """Whether staff are needed for anything but questions that are closed, since they last took over."""
    since = session.scalar(
        select(func.max(ConversationEventRow.at)).where(
            ConversationEventRow.conversation_id == conversation_id,
            ConversationEventRow.kind == EventKind.TAKEOVER,
        )
    )
    closed = select(QuestionRow.turn_id).where(
        QuestionRow.conversation_id == conversation_id, QuestionRow.state != QuestionState.OPEN
    )
    handed_over = select(TurnRow.id).where(
        TurnRow.conversation_id == conversation_id, TurnRow.handover, TurnRow.id.not_in(closed)
    )
    unanswered = select(InboundRow.id).where(
        InboundRow.conversation_id == conversation_id, InboundRow.unanswered_because.in_(_BY_THE_HOUSE)
    )
    failed = select(OutboxRow.id).where(
        OutboxRow.conversation_id == conversation_id, OutboxRow.state == DeliveryState.FAILED
    )
    if since is not None:
        handed_over = handed_over.where(TurnRow.committed_at > since)
        unanswered = unanswered.where(InboundRow.handled_at > since)
        failed = failed.where(OutboxRow.committed_at > since)
    return any(session.scalar(query.limit(1)) is not None for query in (handed_over, unanswered, failed))

"""What a morning report lists: promises, complaints, missed calls, and what waits for people now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, ScalarSelect, Subquery, and_, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from server.domain.conversations import Sentiment
from server.domain.drafts import DraftState
from server.domain.messages import MessageKind, OutboundKind
from server.domain.questions import QuestionState
from server.domain.reports import (
    BusinessDay,
    Complaint,
    LineNow,
    MissedCall,
    OpenNow,
    OpenQuestion,
    Promise,
    Promises,
    PromiseState,
    WaitingGuest,
)
from server.store.guests_only import is_a_guest, is_a_guests_call
from server.store.models import (
    CallRow,
    ConversationRow,
    DraftRow,
    GuestRow,
    InboundRow,
    LineReportRow,
    OutboxRow,
    QuestionRow,
    TurnRow,
)
from server.store.report_parts import (
    is_of_a_guest,
    is_said,
    is_typed_on_phone,
    went_out,
    within,
)
from server.store.sending import ENDED_WELL
from server.store.views import to_guest_view

# A list that is longer is not read; how long it is is told beside it.
LISTED = 100
_ANSWERABLE = [kind for kind in MessageKind if kind.is_answerable]


def promises_of(session: Session, tenant_id: str, day: BusinessDay) -> Promises:
    """What guests were told that the team had been asked."""
    made = _promises(tenant_id, day)
    ranked = select(
        made,
        func.count().over(partition_by=made.c.is_open).label("in_all"),
        func.row_number().over(partition_by=made.c.is_open, order_by=(made.c.at, made.c.id)).label("place"),
    ).subquery()
    rows = session.execute(
        select(ranked, GuestRow)
        .join(ConversationRow, ConversationRow.id == ranked.c.conversation_id)
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
        .where(ranked.c.place <= LISTED)
        .order_by(ranked.c.at, ranked.c.id)
    ).all()
    counts = {row.is_open: row.in_all for row in rows}
    asked = _words_before(session, (row.id for row in rows))
    listed = [(row.is_open, _to_promise(row, asked)) for row in rows]
    return Promises(
        made=sum(counts.values()),
        open_count=counts.get(1, 0),
        open=[promise for is_open, promise in listed if is_open],
        settled=[promise for is_open, promise in listed if not is_open],
    )


def _promises(tenant_id: str, day: BusinessDay) -> Subquery:
    """Replies that called the team, with when people first wrote to the guest after each."""
    made = (
        select(
            OutboxRow.id,
            OutboxRow.conversation_id,
            OutboxRow.committed_at.label("at"),
            TurnRow.reason,
            QuestionRow.state.label("question"),
            QuestionRow.answered_at,
            QuestionRow.answered_by,
            _next_in_console().label("written_at"),
            _next_on_phone().label("typed_at"),
        )
        .join(TurnRow, TurnRow.id == OutboxRow.turn_id)
        .outerjoin(QuestionRow, QuestionRow.turn_id == TurnRow.id)
        .where(went_out(tenant_id, day.span), is_said(OutboundKind.REPLY), TurnRow.handover)
        # PostgreSQL would look for the next word anew wherever it is named.
        .offset(0)
        .subquery()
    )
    is_open = and_(
        made.c.written_at.is_(None),
        made.c.typed_at.is_(None),
        func.coalesce(made.c.question, QuestionState.OPEN) == QuestionState.OPEN,
    )
    return select(made, case((is_open, 1), else_=0).label("is_open")).subquery()


# The earliest by its time, and not the first by its id: for that PostgreSQL might walk through the ids of all
# conversations.
def _next_in_console() -> ScalarSelect[datetime]:
    said = aliased(OutboxRow)
    return (
        select(func.min(said.committed_at))
        .where(
            said.conversation_id == OutboxRow.conversation_id,
            said.id > OutboxRow.id,
            is_said(OutboundKind.STAFF, said),
        )
        .scalar_subquery()
    )


def _next_on_phone() -> ScalarSelect[datetime]:
    typed, covered = aliased(InboundRow), aliased(InboundRow)
    last_covered = (
        select(func.max(covered.id))
        .where(covered.covered_by == OutboxRow.id)
        # The promise's own, two levels up.
        .correlate(OutboxRow)
        .scalar_subquery()
    )
    return (
        select(func.min(typed.received_at))
        .where(
            typed.conversation_id == OutboxRow.conversation_id,
            # Not the messages of years before.
            typed.id > func.coalesce(last_covered, 0),
            typed.received_at >= OutboxRow.committed_at,
            is_typed_on_phone(typed),
        )
        .scalar_subquery()
    )


def _to_promise(row: Row[*tuple[Any, ...]], asked: Mapping[int, str]) -> Promise:
    written = [at for at in (row.written_at, row.typed_at) if at is not None]
    state, settled_at, settled_by = PromiseState.OPEN, None, ""
    if written:
        state, settled_at = PromiseState.WRITTEN, min(written)
    elif not row.is_open:
        state = PromiseState(row.question)
        settled_at, settled_by = row.answered_at, row.answered_by
    return Promise(
        conversation_id=row.conversation_id,
        guest=to_guest_view(row.GuestRow),
        asked=asked.get(row.id, ""),
        reason=row.reason,
        made_at=row.at,
        state=state,
        settled_at=settled_at,
        settled_by=settled_by,
    )


def complaints_of(session: Session, tenant_id: str, day: BusinessDay) -> tuple[Sequence[Complaint], int]:
    """The first messages of guests who sounded displeased, and how many there were."""
    rows = session.execute(
        select(OutboxRow.id, OutboxRow.conversation_id, OutboxRow.committed_at, GuestRow, func.count().over())
        .join(TurnRow, TurnRow.id == OutboxRow.turn_id)
        .join(ConversationRow, ConversationRow.id == OutboxRow.conversation_id)
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
        .where(
            went_out(tenant_id, day.span),
            OutboxRow.kind == OutboundKind.REPLY,
            TurnRow.analysis["sentiment"].as_string() == Sentiment.NEGATIVE,
        )
        .order_by(OutboxRow.committed_at, OutboxRow.id)
        .limit(LISTED)
    ).all()
    words = _words_before(session, (row.id for row in rows))
    found = [
        Complaint(conversation_id, to_guest_view(guest), words.get(reply_id, ""), at)
        for reply_id, conversation_id, at, guest, _ in rows
        if conversation_id is not None
    ]
    return found, rows[0][-1] if rows else 0


def _words_before(session: Session, reply_ids: Iterable[int]) -> Mapping[int, str]:
    """What guests wrote that replies answer, by the reply's id."""
    rows = session.execute(
        select(InboundRow.covered_by, InboundRow.text)
        .where(InboundRow.covered_by.in_(list(reply_ids)), InboundRow.text != "")
        .order_by(InboundRow.id)
    )
    lines: defaultdict[int, list[str]] = defaultdict(list)
    for reply_id, text in rows:
        lines[reply_id or 0].append(text)
    return {reply_id: "\n".join(texts) for reply_id, texts in lines.items()}


def missed_calls_of(session: Session, tenant_id: str, day: BusinessDay) -> Sequence[MissedCall]:
    """The first of them."""
    rows = session.execute(
        select(CallRow.conversation_id, GuestRow, CallRow.started_at, CallRow.ended_because)
        .join(ConversationRow, ConversationRow.id == CallRow.conversation_id)
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
        .where(
            CallRow.tenant_id == tenant_id,
            within(CallRow.started_at, day.span),
            CallRow.ended_because.not_in(ENDED_WELL),
            is_a_guests_call(),
        )
        .order_by(CallRow.started_at, CallRow.id)
        .limit(LISTED)
    )
    return [MissedCall(thread, to_guest_view(guest), at, because) for thread, guest, at, because in rows]


def open_now(session: Session, tenant_id: str, at: datetime) -> OpenNow:
    """What waits for people."""
    waiting, waiting_count = _waiting(session, tenant_id)
    questions, question_count = _questions(session, tenant_id)
    line = session.get(LineReportRow, tenant_id)
    return OpenNow(
        at=at,
        waiting_count=waiting_count,
        waiting=waiting,
        question_count=question_count,
        questions=questions,
        draft_count=_draft_count(session, tenant_id),
        line=None if line is None else LineNow(line.is_linked, line.down_since, line.reported_at),
    )


def _waiting(session: Session, tenant_id: str) -> tuple[Sequence[WaitingGuest], int]:
    # What a person was needed for; the guest may have said thanks since.
    words_asked = (
        select(InboundRow.text)
        .where(
            InboundRow.conversation_id == ConversationRow.id,
            InboundRow.received_at <= ConversationRow.needs_human_since,
            is_of_a_guest(),
        )
        .order_by(InboundRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            ConversationRow.id, GuestRow, ConversationRow.needs_human_since, words_asked, func.count().over()
        )
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
        .where(
            ConversationRow.tenant_id == tenant_id,
            ConversationRow.needs_human_since.is_not(None),
            is_a_guest(),
        )
        .order_by(ConversationRow.needs_human_since, ConversationRow.id)
        .limit(LISTED)
    ).all()
    found = [
        WaitingGuest(conversation_id, to_guest_view(guest), since, words or "")
        for conversation_id, guest, since, words, _ in rows
        if since is not None
    ]
    return found, rows[0][-1] if rows else 0


def _questions(session: Session, tenant_id: str) -> tuple[Sequence[OpenQuestion], int]:
    rows = session.execute(
        select(QuestionRow, GuestRow, func.count().over())
        .join(ConversationRow, ConversationRow.id == QuestionRow.conversation_id)
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
        .where(QuestionRow.tenant_id == tenant_id, QuestionRow.state == QuestionState.OPEN)
        .order_by(QuestionRow.id.desc())
        .limit(LISTED)
    ).all()
    found = [
        OpenQuestion(row.id, row.conversation_id, to_guest_view(guest), row.text, row.asked_at)
        for row, guest, _ in rows
    ]
    return found, rows[0][-1] if rows else 0


def _draft_count(session: Session, tenant_id: str) -> int:
    """Open drafts that answer the guest's last message: an older one is out of date."""
    is_outdated = exists().where(
        InboundRow.conversation_id == DraftRow.conversation_id,
        InboundRow.id > DraftRow.inbound_id,
        InboundRow.from_me.is_(False),
        InboundRow.kind.in_(_ANSWERABLE),
    )
    waiting = select(func.count(DraftRow.id)).where(
        DraftRow.tenant_id == tenant_id, DraftRow.state == DraftState.OPEN, ~is_outdated
    )
    return session.scalar(waiting) or 0

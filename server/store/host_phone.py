"""What is written on the business's own phone: a person who takes over, or the app answering by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.domain.automatic import Line, is_automatic
from server.domain.messages import InboundMessage, MessageKind
from server.domain.modes import Actor, ModeBy
from server.store.drafts import close_drafts
from server.store.models import ConversationRow, InboundRow, OutboxRow
from server.store.modes import hand_back_at, mode_after_word, take_over
from server.store.tenants import get_tenant_row, to_tenant

HOST = Actor(ModeBy.HOST_PHONE)

# A reaction answers nothing, and what we cannot read may be no words at all (a call, a poll's vote).
_NO_WORD = (MessageKind.REACTION, MessageKind.OTHER)
# Where the desk never takes over by itself: what is older than this says nothing of who is there now.
_LONGEST_DELAY = timedelta(hours=12)
# So many lines of each side tell how long the chat had been still.
_LINES = 20


def note_host_message(session: Session, row_id: int, message: InboundMessage, now: datetime) -> None:
    """Draw the conclusions from a message of the business's own phone, where it is saved.

    A person's gives the conversation to staff; an automatic one is marked as such and changes nothing; an
    echo of what we have sent ourselves is not news.

    Args:
        row_id: of the message, which has just been saved.
    """
    if message.kind in _NO_WORD or _is_ours(session, message):
        return
    conversation = _locked_conversation(session, row_id)
    settings = to_tenant(get_tenant_row(session, message.tenant_id)).settings
    lines = _lines_before(session, conversation.id, row_id)
    if is_automatic(message.text, message.sent_at, lines, settings.auto_messages):
        details = {**message.details, "automatic": True}
        session.execute(update(InboundRow).where(InboundRow.id == row_id).values(details=details))
        return
    conversation.needs_human_since = None
    # It may have been held up on its way: the time runs from when it was written.
    wrote_at = min(message.sent_at, now)
    until = hand_back_at(session, conversation, wrote_at) or wrote_at + _LONGEST_DELAY
    if until > now:
        take_over(session, conversation, mode_after_word(conversation), HOST, wrote_at)
    close_drafts(session, conversation.id, now)


def _is_ours(session: Session, message: InboundMessage) -> bool:
    ours = select(OutboxRow.id).where(
        OutboxRow.tenant_id == message.tenant_id,
        OutboxRow.channel == message.channel,
        OutboxRow.message_id == message.provider_id,
    )
    return session.execute(ours).first() is not None


def _locked_conversation(session: Session, row_id: int) -> ConversationRow:
    session.flush()
    return session.scalars(
        select(ConversationRow)
        .join(InboundRow, InboundRow.conversation_id == ConversationRow.id)
        .where(InboundRow.id == row_id)
        .with_for_update(of=ConversationRow)
        .execution_options(populate_existing=True)
    ).one()


def _lines_before(session: Session, conversation_id: int, row_id: int) -> Sequence[Line]:
    came_in = session.execute(
        select(InboundRow.sent_at, InboundRow.from_me)
        .where(InboundRow.conversation_id == conversation_id, InboundRow.id < row_id)
        .order_by(InboundRow.id.desc())
        .limit(_LINES)
    )
    went_out = session.scalars(
        select(OutboxRow.committed_at)
        .where(OutboxRow.conversation_id == conversation_id)
        .order_by(OutboxRow.id.desc())
        .limit(_LINES)
    )
    lines = [Line(at, by_guest=not from_me) for at, from_me in came_in]
    return lines + [Line(at, by_guest=False) for at in went_out]

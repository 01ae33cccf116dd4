"""What was said in a conversation before the messages that wait, as a turn is given it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, case, literal, select, union_all

from server.domain.conversations import HistoryLine, Speaker
from server.domain.messages import DeliveryState, OutboundKind
from server.domain.modes import EventKind
from server.store.models import ConversationEventRow, InboundRow, OutboxRow, table_of

# For the model: what the team wrote before stands in the history as the business's words.
HANDED_BACK = (
    "Until here a person of the team has handled this conversation; now it is yours again. What the team has "
    "said or promised above holds."
)

_CAME_IN = table_of(InboundRow).c
_WENT_OUT = table_of(OutboxRow).c
_EVENT = table_of(ConversationEventRow).c

# The last lines of each side, and the last time that the desk got the conversation back: one statement whose
# work does not grow with the history.
_LAST_LINES = union_all(
    select(
        select(
            _CAME_IN.received_at.label("at"),
            case((_CAME_IN.from_me, Speaker.HOST), else_=Speaker.GUEST).label("speaker"),
            _CAME_IN.text.label("text"),
        )
        .where(
            _CAME_IN.conversation_id == bindparam("conversation"),
            _CAME_IN.handled_at.is_not(None),
            _CAME_IN.text != "",
        )
        .order_by(_CAME_IN.id.desc())
        .limit(bindparam("limit"))
        .subquery()
    ),
    select(
        select(
            _WENT_OUT.committed_at.label("at"),
            literal(Speaker.HOST).label("speaker"),
            _WENT_OUT.text.label("text"),
        )
        .where(
            _WENT_OUT.conversation_id == bindparam("conversation"),
            _WENT_OUT.kind.in_([OutboundKind.REPLY, OutboundKind.STAFF]),
            _WENT_OUT.state.not_in([DeliveryState.FAILED, DeliveryState.CANCELLED]),
        )
        .order_by(_WENT_OUT.id.desc())
        .limit(bindparam("limit"))
        .subquery()
    ),
    select(
        select(_EVENT.at, literal(Speaker.NOTE).label("speaker"), literal(HANDED_BACK).label("text"))
        .where(_EVENT.conversation_id == bindparam("conversation"), _EVENT.kind == EventKind.HAND_BACK)
        .order_by(_EVENT.id.desc())
        .limit(1)
        .subquery()
    ),
)


def last_lines(connection: Connection, conversation_id: int, limit: int) -> Sequence[HistoryLine]:
    """The last *limit* lines before the waiting ones, oldest first, with the hand-back among them if there
    was one."""
    if limit == 0:
        return []
    rows = connection.execute(_LAST_LINES, {"conversation": conversation_id, "limit": limit}).all()
    lines = sorted(rows, key=lambda row: row.at)
    spoken = [row for row in lines if row.speaker != Speaker.NOTE][-limit:]
    if not spoken:
        return []
    kept = [row for row in lines if row.at >= spoken[0].at and (row in spoken or row.speaker == Speaker.NOTE)]
    return [HistoryLine(Speaker(row.speaker), row.text) for row in kept]

"""Which of a tenant's conversations hold a text: in a name, a number, a message or a note, in whatever case.

What is found never depends on an index, only how soon: see docs/decisions/0015-console-search.md.
"""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, case, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from server.store.models import ConversationRow, GuestRow, InboundRow, NoteRow, OutboxRow

# A text is common if half of the newest conversations hold it among their newest messages of a side.
NEWEST_CONVERSATIONS = 40
NEWEST_MESSAGES = 25

_TABLES: tuple[type[InboundRow], type[OutboxRow]] = (InboundRow, OutboxRow)
_PAIR = re.compile("[a-z0-9א-ת]{2}", re.IGNORECASE)
# What may stand beside two letters, written out: only so, and up to U+07FF, does PostgreSQL look for a
# regular expression in an index of three letters.
_LETTERS = "[a-z0-9א-ת]"
_MARKS = r"""[ \n\t.,;:!?(){}\[\]"'`/\\|+*=&%$#@_~<>־׳״-]"""
_AS_PEOPLE_WRITE_NUMBERS = re.compile(r"[+\d\s().-]+")


def in_name_or_number(text: str) -> ColumnElement[bool]:
    """Guests whose name, chat id or phone number holds *text*."""
    places = [_holds(GuestRow.name, text), _holds(GuestRow.chat_key, text)]
    if _AS_PEOPLE_WRITE_NUMBERS.fullmatch(text):
        # 054-123 4567 is kept as 972541234567@s.whatsapp.net.
        digits = re.sub(r"\D", "", text).lstrip("0")
        if digits:
            places.append(GuestRow.phone.contains(digits))
    return or_(*places)


def gather(session: Session, tenant_id: str, text: str) -> set[int] | None:
    """All conversations with a message or a note that holds *text*; three or four queries.

    None for a common text: to gather its many messages would take long, and whoever goes through the
    conversations with `in_messages_or_notes`, newest first, soon has a page.
    """
    if _is_common(session, tenant_id, text):
        return None
    found: set[int] = set()
    for table in _TABLES:
        # SQLite has no index of texts, and reads all rows: to step through them by another index is slower.
        tenant = func.coalesce(table.tenant_id, "") if _is_sqlite(session) else table.tenant_id
        # What was told to staff is part of no conversation.
        conversation = func.coalesce(table.conversation_id, 0)
        holding = select(conversation).where(tenant == tenant_id, _holds_by_index(session, table.text, text))
        found.update(filter(None, session.scalars(holding.distinct())))
    # Of notes there are few.
    notes = select(NoteRow.conversation_id).where(NoteRow.tenant_id == tenant_id, _holds(NoteRow.text, text))
    found.update(session.scalars(notes))
    return found


def in_messages_or_notes(tenant_id: str, text: str) -> ColumnElement[bool]:
    """Conversations with a message or a note that holds *text*. Each is looked through, its newest messages
    first.
    """
    in_messages = (_newest_with(table, tenant_id, text).is_not(None) for table in _TABLES)
    return or_(*in_messages, _has_note_with(tenant_id, text))


def _is_common(session: Session, tenant_id: str, text: str) -> bool:
    newest = (
        select(ConversationRow.id)
        .where(ConversationRow.tenant_id == tenant_id)
        .order_by(ConversationRow.last_message_at.desc())
        .limit(NEWEST_CONVERSATIONS)
    )
    is_held = or_(*(_newest_of(table, tenant_id, text) for table in _TABLES))
    asked, holding = session.execute(
        select(func.count(), func.count(case((is_held, 1))))
        .select_from(ConversationRow)
        .where(ConversationRow.id.in_(newest))
    ).one()
    return bool(asked) and 2 * int(holding) >= int(asked)


def _newest_of(table: type[InboundRow] | type[OutboxRow], tenant_id: str, text: str) -> ColumnElement[bool]:
    """Whether the newest messages hold it."""
    one = aliased(table)
    newest = (
        select(one.id)
        .where(one.conversation_id == ConversationRow.id, one.tenant_id == tenant_id)
        .order_by(one.id.desc())
        .limit(NEWEST_MESSAGES)
        .correlate(ConversationRow)
    )
    held = select(table.id).where(table.id.in_(newest), _holds_in_passing(table.text, text))
    return held.correlate(ConversationRow).exists()


def _newest_with(table: type[InboundRow] | type[OutboxRow], tenant_id: str, text: str) -> ColumnElement[int]:
    newest: Select[int] = (
        select(table.id)
        .where(
            table.conversation_id == ConversationRow.id,
            table.tenant_id == tenant_id,
            _holds_in_passing(table.text, text),
        )
        .order_by(table.id.desc())
        .limit(1)
        .correlate(ConversationRow)
    )
    return newest.scalar_subquery()


def _has_note_with(tenant_id: str, text: str) -> ColumnElement[bool]:
    notes = select(NoteRow.id).where(
        NoteRow.conversation_id == ConversationRow.id,
        NoteRow.tenant_id == tenant_id,
        _holds(NoteRow.text, text),
    )
    return notes.correlate(ConversationRow).exists()


def _holds(
    column: SQLColumnExpression[str] | SQLColumnExpression[str | None], text: str
) -> ColumnElement[bool]:
    if text.lower() == text.upper():
        # Neither Hebrew nor digits have a case, and folding it takes most of a comparison's time.
        return column.contains(text, autoescape=True)
    return column.icontains(text, autoescape=True)


def _holds_in_passing(column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """As `_holds`, in words that no index answers, and whose answer planners expect to be yes half the time:
    so they go through the messages of one conversation in their order, and stop at the first.
    """
    return case((_holds(column, text), true()), else_=false())


def _holds_by_index(session: Session, column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """As `_holds`, in words that let PostgreSQL find two letters in an index of three.

    What they miss are two letters all by themselves between two emoji, curly quotes or the like.
    """
    if _is_sqlite(session) or not _PAIR.fullmatch(text):
        return _holds(column, text)
    patterns = (f"(^|{_MARKS}){text}", f"{_LETTERS}{text}", f"{text}{_LETTERS}", f"{text}{_MARKS}")
    return or_(*(column.regexp_match(pattern, flags="i") for pattern in patterns))


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"

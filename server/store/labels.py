"""What staff sort conversations by: free words, and who looks after each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, delete, or_, select, update
from sqlalchemy.orm import Session

from server.domain.modes import Actor
from server.domain.phrases import Phrase
from server.domain.staff import Permission, Role, may
from server.domain.views import NOBODY, Assignee
from server.errors import UnprocessableRequest
from server.ports.clock import Clock
from server.store.audit import add_audit
from server.store.locked import locked_conversation
from server.store.models import ConversationRow, LabelRow, UserRow
from server.store.session import Database

LONGEST_LABEL = 40
MOST_LABELS = 10


@dataclass(frozen=True, slots=True)
class Marks:
    """What staff have put on one conversation."""

    labels: Sequence[str] = ()
    assignee: Assignee | None = None


class Labels:
    """Puts labels on conversations and says who looks after them.

    A label keeps its letters, and two that differ by case alone are one: the business's first spelling stays.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, tenant_id: str, conversation_id: int, label: str, actor: Actor) -> None:
        """Put *label* on the conversation; one that is there already stays as it is.

        Raises:
            NotFound: the tenant has no such conversation.
            UnprocessableRequest: the label is no word, or there are `MOST_LABELS` already.
        """
        label = _checked(label)
        with self._database.write() as session:
            locked_conversation(session, tenant_id, conversation_id)
            label = next(iter(_spellings(session, tenant_id, label)), label)
            there = session.scalars(_labels_on(tenant_id, conversation_id)).all()
            if label.casefold() in {known.casefold() for known in there}:
                return
            if len(there) >= MOST_LABELS:
                raise UnprocessableRequest(
                    Phrase("go back and remove a label first: {most} is the most", most=MOST_LABELS)
                )
            session.add(LabelRow(conversation_id=conversation_id, label=label, tenant_id=tenant_id))
            self._note(session, tenant_id, conversation_id, actor, "label.added", label=label)

    def remove(self, tenant_id: str, conversation_id: int, label: str, actor: Actor) -> None:
        """Take *label* off; harmless if it is not there.

        Raises:
            NotFound: the tenant has no such conversation.
        """
        with self._database.write() as session:
            locked_conversation(session, tenant_id, conversation_id)
            removed = session.execute(
                delete(LabelRow)
                .where(
                    LabelRow.tenant_id == tenant_id,
                    LabelRow.conversation_id == conversation_id,
                    LabelRow.label.in_(_spellings(session, tenant_id, label)),
                )
                .returning(LabelRow.label)
            ).all()
            if removed:
                self._note(session, tenant_id, conversation_id, actor, "label.removed", label=label)

    def known(self, tenant_id: str) -> Sequence[str]:
        """The business's labels, in the order of the alphabet."""
        with self._database.read() as session:
            return sorted(_known(session, tenant_id), key=str.casefold)

    def assign(self, tenant_id: str, conversation_id: int, user_id: int | None, actor: Actor) -> None:
        """Say who looks after the conversation; None is nobody.

        Raises:
            NotFound: the tenant has no such conversation.
            UnprocessableRequest: the tenant has nobody of that id who answers guests.
        """
        with self._database.write() as session:
            conversation = locked_conversation(session, tenant_id, conversation_id)
            if user_id is not None and user_id not in {one.id for one in _team(session, tenant_id)}:
                raise UnprocessableRequest(Phrase("go back and choose somebody of the team"))
            if conversation.assigned_to == user_id:
                return
            conversation.assigned_to = user_id
            self._note(session, tenant_id, conversation_id, actor, "conversation.assigned", user=user_id)

    def team(self, tenant_id: str) -> Sequence[Assignee]:
        """Who may be given a conversation, by name."""
        with self._database.read() as session:
            return _team(session, tenant_id)

    def _note(
        self,
        session: Session,
        tenant_id: str,
        conversation_id: int,
        actor: Actor,
        action: str,
        **details: object,
    ) -> None:
        subject = f"conversation {conversation_id}"
        add_audit(session, tenant_id, actor, action, subject, self._clock.now(), **details)


def marks_of(session: Session, tenant_id: str, conversation_ids: Sequence[int]) -> Mapping[int, Marks]:
    """What staff have put on the conversations, by id; those without are missing. One query."""
    rows = session.execute(
        select(ConversationRow.id, LabelRow.label, UserRow.id, UserRow.name)
        .outerjoin(LabelRow, LabelRow.conversation_id == ConversationRow.id)
        .outerjoin(UserRow, UserRow.id == ConversationRow.assigned_to)
        .where(
            ConversationRow.tenant_id == tenant_id,
            ConversationRow.id.in_(conversation_ids),
            or_(LabelRow.label.is_not(None), UserRow.id.is_not(None)),
        )
    ).all()
    labels: dict[int, list[str]] = {}
    assignees: dict[int, Assignee] = {}
    for conversation_id, label, user_id, name in rows:
        labels.setdefault(conversation_id, [])
        if label is not None:
            labels[conversation_id].append(label)
        if user_id is not None:
            assignees[conversation_id] = Assignee(user_id, name)
    return {key: Marks(sorted(words, key=str.casefold), assignees.get(key)) for key, words in labels.items()}


def labelled(database: Database, tenant_id: str, label: str) -> ColumnElement[bool]:
    """Whether a conversation has *label*, in whatever case it is written. Asks the database."""
    with database.read() as session:
        spellings = _spellings(session, tenant_id, label)
    having = select(LabelRow.conversation_id).where(
        LabelRow.tenant_id == tenant_id, LabelRow.label.in_(spellings)
    )
    return ConversationRow.id.in_(having)


def assigned_to(user_id: int) -> ColumnElement[bool]:
    """Whether that member of staff looks after a conversation, or `NOBODY` does."""
    if user_id == NOBODY:
        return ConversationRow.assigned_to.is_(None)
    return ConversationRow.assigned_to == user_id


def move_labels(session: Session, leaving: ConversationRow, staying: ConversationRow) -> None:
    """Give a conversation's labels, and whoever looks after it, to the one that it is joined with."""
    there = {label.casefold() for label in session.scalars(_labels_on(staying.tenant_id, staying.id))}
    moving = [
        label
        for label in session.scalars(_labels_on(leaving.tenant_id, leaving.id))
        if label.casefold() not in there
    ]
    # More than ten stay readable: a merge drops no word of the team's.
    session.execute(
        update(LabelRow)
        .where(LabelRow.conversation_id == leaving.id, LabelRow.label.in_(moving))
        .values(conversation_id=staying.id)
    )
    session.execute(delete(LabelRow).where(LabelRow.conversation_id == leaving.id))
    if staying.assigned_to is None:
        staying.assigned_to = leaving.assigned_to


def _labels_on(tenant_id: str, conversation_id: int) -> Select[str]:
    return select(LabelRow.label).where(
        LabelRow.tenant_id == tenant_id, LabelRow.conversation_id == conversation_id
    )


def _known(session: Session, tenant_id: str) -> Sequence[str]:
    return session.scalars(select(LabelRow.label).where(LabelRow.tenant_id == tenant_id).distinct()).all()


def _spellings(session: Session, tenant_id: str, label: str) -> Sequence[str]:
    """The business's labels that are *label* but for their case. SQLite knows the case of English only."""
    return [known for known in _known(session, tenant_id) if known.casefold() == label.casefold()]


def _team(session: Session, tenant_id: str) -> Sequence[Assignee]:
    rows = session.execute(
        select(UserRow.id, UserRow.name, UserRow.role).where(
            UserRow.tenant_id == tenant_id, UserRow.disabled_at.is_(None)
        )
    )
    answering = [Assignee(row.id, row.name) for row in rows if may(Role(row.role), Permission.ANSWER)]
    return sorted(answering, key=lambda one: one.name.casefold())


def _checked(label: str) -> str:
    label = " ".join(label.split())
    if not 0 < len(label) <= LONGEST_LABEL or not label.isprintable():
        raise UnprocessableRequest(
            Phrase("go back and write a label of 1 to {most} characters", most=LONGEST_LABEL)
        )
    return label

"""Staff who may log in to the console."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.domain.audit import AuditAction
from server.domain.modes import OPERATOR, Actor
from server.domain.phrases import Phrase
from server.domain.staff import Role
from server.errors import Conflict, NotFound, UnprocessableRequest
from server.ports.clock import Clock
from server.store.audit import add_audit
from server.store.models import UserRow
from server.store.session import Database
from server.store.tenants import get_tenant_row

NAME_MAX_LENGTH = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A member of one business's staff.

    ``language`` is of the pages; empty: what the browser asks for.
    ``password_mark`` changes with the password and tells nothing of it: a session that carries an old one
    has ended.
    """

    id: int
    tenant_id: str
    name: str
    password_mark: str
    role: Role
    language: str
    has_second_factor: bool
    is_disabled: bool
    sessions_end_at: datetime | None
    created_at: datetime

    def accepts_session_of(self, began: datetime) -> bool:
        """Whether a session that began then, with the password of now, is still one."""
        return not self.is_disabled and (self.sessions_end_at is None or began >= self.sessions_end_at)


class Users:
    """Adds, recognises and changes staff; each change is noted in the audit log with who made it.

    Hashing takes about a tenth of a second and never holds a transaction.
    """

    def __init__(self, database: Database, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._decoy = _decoy(self._hasher)

    def add(
        self, tenant_id: str, name: str, password: str, role: Role = Role.OWNER, actor: Actor = OPERATOR
    ) -> User:
        """Add a user to a tenant.

        Raises:
            UnprocessableRequest: the name is empty, too long, or taken (by staff of any tenant).
            NotFound: there is no such tenant.
        """
        name = _checked(name)
        now = self._clock.now()
        row = UserRow(
            tenant_id=tenant_id,
            name=name,
            password_hash=self._hasher.hash(password),
            role=role,
            language="",
            created_at=now,
        )
        try:
            with self._database.write() as session:
                get_tenant_row(session, tenant_id)
                session.add(row)
                session.flush()
                _note(session, row, AuditAction.USER_ADDED, actor, now, role=role)
        except IntegrityError as error:
            raise UnprocessableRequest(
                Phrase("the name {name!r} is taken; choose another", name=name)
            ) from error
        return _to_user(row)

    def all(self, tenant_id: str) -> Sequence[User]:
        """The tenant's staff, by name."""
        with self._database.read() as session:
            rows = session.scalars(select(UserRow).where(UserRow.tenant_id == tenant_id))
            return sorted(map(_to_user, rows), key=lambda user: user.name.casefold())

    def get(self, tenant_id: str, user_id: int) -> User:
        """One of the tenant's staff.

        Raises:
            NotFound: the tenant has no such user.
        """
        user = self.find(user_id)
        if user is None or user.tenant_id != tenant_id:
            raise NotFound("there is no such user")
        return user

    def named(self, name: str) -> User:
        """The user with that name.

        Raises:
            NotFound: nobody has it.
        """
        with self._database.read() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name.strip())).one_or_none()
        if row is None:
            raise NotFound(f"there is no user {name.strip()!r}; `frontdesk user list --tenant ID` shows them")
        return _to_user(row)

    def find(self, user_id: int) -> User | None:
        """The user with that id."""
        with self._database.read() as session:
            row = session.get(UserRow, user_id)
        return None if row is None else _to_user(row)

    def verify(self, name: str, password: str) -> User | None:
        """The user who may log in with name and password. A name that nobody has takes just as long."""
        with self._database.read() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name.strip())).one_or_none()
        try:
            self._hasher.verify(self._decoy if row is None else row.password_hash, password)
        except VerifyMismatchError:
            return None
        return None if row is None or row.disabled_at is not None else _to_user(row)

    def set_password(self, user: User, password: str, actor: Actor) -> User:
        """Give a user another password, which ends all of the user's sessions.

        Raises:
            NotFound: the tenant has no such user any more.
        """
        password_hash = self._hasher.hash(password)
        with self._database.write() as session:
            row = _get(session, user.tenant_id, user.id)
            row.password_hash = password_hash
            _note(session, row, AuditAction.PASSWORD, actor, self._clock.now())
        return _to_user(row)

    def set_role(self, tenant_id: str, user_id: int, role: Role, actor: Actor) -> None:
        """Change what a user is to the business.

        Raises:
            NotFound: the tenant has no such user.
            Conflict: nobody else could manage the business.
        """
        with self._database.write() as session:
            owners = _locked_owners(session, tenant_id)
            row = _get(session, tenant_id, user_id)
            before = Role(row.role)
            if before is role:
                return
            _leave_an_owner(owners, row)
            row.role = role
            _note(session, row, AuditAction.USER_ROLE, actor, self._clock.now(), before=before, role=role)

    def disable(self, tenant_id: str, user_id: int, actor: Actor) -> None:
        """Let a user in no more; the user's sessions are over.

        Raises:
            NotFound: the tenant has no such user.
            Conflict: nobody else could manage the business.
        """
        with self._database.write() as session:
            owners = _locked_owners(session, tenant_id)
            row = _get(session, tenant_id, user_id)
            if row.disabled_at is not None:
                return
            _leave_an_owner(owners, row)
            # Enabled again, the user logs in again.
            row.disabled_at = row.sessions_end_at = now = self._clock.now()
            _note(session, row, AuditAction.USER_DISABLED, actor, now)

    def enable(self, tenant_id: str, user_id: int, actor: Actor) -> None:
        """Let a user in again.

        Raises:
            NotFound: the tenant has no such user.
        """
        with self._database.write() as session:
            row = _get(session, tenant_id, user_id)
            if row.disabled_at is None:
                return
            row.disabled_at = None
            _note(session, row, AuditAction.USER_ENABLED, actor, self._clock.now())

    def end_sessions(self, tenant_id: str, user_id: int, actor: Actor) -> None:
        """Have a user log in anew everywhere.

        Raises:
            NotFound: the tenant has no such user.
        """
        with self._database.write() as session:
            row = _get(session, tenant_id, user_id)
            row.sessions_end_at = now = self._clock.now()
            _note(session, row, AuditAction.SESSIONS_ENDED, actor, now)

    def drop_second_factor(self, tenant_id: str, user_id: int, actor: Actor) -> None:
        """Ask the user for a password alone from now on.

        Raises:
            NotFound: the tenant has no such user.
        """
        with self._database.write() as session:
            row = _get(session, tenant_id, user_id)
            if row.totp_secret is None:
                return
            row.totp_secret = None
            _note(session, row, AuditAction.SECOND_FACTOR_OFF, actor, self._clock.now())

    def set_language(self, tenant_id: str, user_id: int, language: str) -> None:
        """Show the user pages in *language*; empty: in what the browser asks for.

        Raises:
            NotFound: the tenant has no such user.
        """
        with self._database.write() as session:
            _get(session, tenant_id, user_id).language = language

    def note_login(self, user: User, actor: Actor, action: AuditAction) -> None:
        """Note that the user has logged in, or got no further than the password."""
        with self._database.write() as session:
            row = _get(session, user.tenant_id, user.id)
            _note(session, row, action, actor, self._clock.now())


def _get(session: Session, tenant_id: str, user_id: int) -> UserRow:
    row = session.get(UserRow, user_id, with_for_update=True)
    if row is None or row.tenant_id != tenant_id:
        raise NotFound("there is no such user")
    return row


def _locked_owners(session: Session, tenant_id: str) -> Sequence[UserRow]:
    """Whoever can manage the business. Locked before anybody else, and in one order: of two owners who give
    up at the same moment the second finds that the first has.
    """
    owners = select(UserRow).where(
        UserRow.tenant_id == tenant_id, UserRow.role == Role.OWNER, UserRow.disabled_at.is_(None)
    )
    return session.scalars(owners.order_by(UserRow.id).with_for_update()).all()


def _leave_an_owner(owners: Sequence[UserRow], row: UserRow) -> None:
    """Somebody else than *row* must be able to manage the business."""
    if [owner.id for owner in owners] == [row.id]:
        raise Conflict(
            Phrase(
                "{name} is the last owner of the business: make somebody else an owner first", name=row.name
            )
        )


def _note(
    session: Session, row: UserRow, action: AuditAction, actor: Actor, now: datetime, **details: object
) -> None:
    add_audit(session, row.tenant_id, actor, action, f"user {row.name}", now, **details)


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_MAX_LENGTH or not name.isprintable():
        raise UnprocessableRequest(
            Phrase("a user's name has 1 to {most} printable characters", most=NAME_MAX_LENGTH)
        )
    return name


def _decoy(hasher: PasswordHasher) -> str:
    """A hash that no password has, as dear to check as a real one: what an unknown name is held against."""
    salt, digest = "A" * 22, "A" * 43
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


def _to_user(row: UserRow) -> User:
    return User(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        password_mark=hashlib.sha256(row.password_hash.encode()).hexdigest()[:16],
        role=Role(row.role),
        language=row.language,
        has_second_factor=row.totp_secret is not None,
        is_disabled=row.disabled_at is not None,
        sessions_end_at=row.sessions_end_at,
        created_at=row.created_at,
    )

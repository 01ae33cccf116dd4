"""Staff who may log in to the console."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from server.domain.staff import Role
from server.errors import NotFound, UnprocessableRequest
from server.ports.clock import Clock
from server.store.models import UserRow
from server.store.session import Database
from server.store.tenants import get_tenant_row

NAME_MAX_LENGTH = 128


@dataclass(frozen=True, slots=True)
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


class Users:
    """Adds and recognises staff. Hashing takes about a tenth of a second and never holds a transaction."""

    def __init__(self, database: Database, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._decoy = _decoy(self._hasher)

    def add(self, tenant_id: str, name: str, password: str, role: Role = Role.OWNER) -> User:
        """Add a user to a tenant.

        Raises:
            UnprocessableRequest: the name is empty, too long, or taken (by staff of any tenant).
            NotFound: there is no such tenant.
        """
        name = _checked(name)
        row = UserRow(
            tenant_id=tenant_id,
            name=name,
            password_hash=self._hasher.hash(password),
            role=role,
            language="",
            created_at=self._clock.now(),
        )
        try:
            with self._database.write() as session:
                get_tenant_row(session, tenant_id)
                session.add(row)
        except IntegrityError as error:
            raise UnprocessableRequest(f"the name {name!r} is taken; choose another") from error
        return _to_user(row)

    def set_password(self, name: str, password: str) -> User:
        """Give a user another password, which ends all of the user's sessions.

        Raises:
            NotFound: nobody has that name.
        """
        password_hash = self._hasher.hash(password)
        with self._database.write() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name.strip())).one_or_none()
            if row is None:
                raise NotFound(f"there is no user {name.strip()!r}")
            row.password_hash = password_hash
        return _to_user(row)

    def verify(self, name: str, password: str) -> User | None:
        """The user if name and password belong together. A name that nobody has takes just as long."""
        with self._database.read() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name.strip())).one_or_none()
        try:
            self._hasher.verify(self._decoy if row is None else row.password_hash, password)
        except VerifyMismatchError:
            return None
        return None if row is None else _to_user(row)

    def find(self, user_id: int) -> User | None:
        """The user with that id."""
        with self._database.read() as session:
            row = session.get(UserRow, user_id)
        return None if row is None else _to_user(row)


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_MAX_LENGTH or not name.isprintable():
        raise UnprocessableRequest(f"a user's name has 1 to {NAME_MAX_LENGTH} printable characters")
    return name


def _decoy(hasher: PasswordHasher) -> str:
    """A hash that no password has, as dear to check as a real one: what an unknown name is held against."""
    salt, digest = "A" * 22, "A" * 43
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


def _to_user(row: UserRow) -> User:
    mark = hashlib.sha256(row.password_hash.encode()).hexdigest()[:16]
    return User(row.id, row.tenant_id, row.name, mark, Role(row.role), row.language)

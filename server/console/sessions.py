"""Whose session a cookie is. The web process and the realtime process know staff by the same one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature

from server.ports.clock import Clock
from server.store.users import User, Users

SESSION_COOKIE = "frontdesk_session"
SESSION_LENGTH = timedelta(hours=12)

# Where the session keeps when it began, and whose it is. The second name is Flask-Login's.
BEGAN = "began"
SESSION_ID = "_user_id"


def session_id(user: User) -> str:
    """What a session holds of its user: with another password it is another id."""
    return f"{user.id}.{user.password_mark}"


class Sessions:
    """Which sessions still hold."""

    def __init__(self, users: Users, clock: Clock) -> None:
        self._users = users
        self._clock = clock

    def user_of(self, held: Mapping[str, object]) -> User | None:
        """Whose session it is that holds this; None once it is over. Blocks for one query.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        began, known_as = held.get(BEGAN), held.get(SESSION_ID)
        if not isinstance(began, int | float) or not isinstance(known_as, str):
            return None
        began_at = datetime.fromtimestamp(began, UTC)
        if self._clock.now() - began_at >= SESSION_LENGTH:
            return None
        user = self._users.find(int(known_as.partition(".")[0]))
        if user is None or session_id(user) != known_as or not user.accepts_session_of(began_at):
            return None
        return user


class SessionCookies:
    """Reads sessions where no Flask application does.

    Args:
        key: what the web process signs them with.
    """

    def __init__(self, key: str) -> None:
        app = Flask(__name__)
        app.secret_key = key
        serializer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert serializer is not None  # noqa: S101 - there is a key
        self._serializer = serializer

    def held_by(self, cookie: str) -> Mapping[str, object]:
        """What a cookie holds; nothing where nobody of ours signed it."""
        try:
            held = self._serializer.loads(cookie, max_age=int(SESSION_LENGTH.total_seconds()))
        except BadSignature:
            return {}
        return held if isinstance(held, dict) else {}

"""Sessions of staff. Whatever does not say that it is public needs one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

from flask import Blueprint, Flask, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user
from flask_wtf.csrf import CSRFProtect

from server.console.access import PUBLIC_ENDPOINTS, needed_permission
from server.console.live import is_fragment
from server.console.sessions import BEGAN, SESSION_COOKIE, SESSION_LENGTH, Sessions, session_id
from server.domain.modes import Actor, ModeBy
from server.domain.phrases import Phrase
from server.domain.staff import may
from server.errors import Forbidden
from server.ports.clock import Clock
from server.store.users import User, Users

# What whoever is logged in may do, whatever they are to the business.
OPEN_TO_ALL = PUBLIC_ENDPOINTS | {"console.logout"}


@dataclass(frozen=True, slots=True)
class Member:
    """A user as Flask-Login wants one."""

    user: User
    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        """What the session cookie holds: with another password it is another id."""
        return session_id(self.user)


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, for https alone as soon as there is https."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 (the interface's)
        return request.is_secure


def start_sessions(app: Flask, users: Users, clock: Clock) -> None:
    """Let *app* know its users by a session cookie that ends `SESSION_LENGTH` after the login."""
    app.session_interface = _Sessions()
    app.config.update(
        SESSION_COOKIE_NAME=SESSION_COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=SESSION_LENGTH,
    )

    sessions = Sessions(users, clock)

    def load(_session_id: str) -> Member | None:
        user = sessions.user_of(session)
        return None if user is None else Member(user)

    manager = LoginManager()
    manager.session_protection = None
    # Pages are told their user by name: an error page must not ask the database that is failing.
    manager.init_app(app, add_context_processor=False)
    manager.user_loader(load)


def guard(app: Flask, blueprint: Blueprint) -> None:
    """Close every page of *blueprint* but the public ones, and refuse forms that are not its own."""
    # Checked below, for these pages only: webhooks and the API have no cookie that could be abused.
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)
    csrf = CSRFProtect(app)

    @blueprint.before_request
    def need_session() -> ResponseReturnValue | None:
        if request.endpoint in PUBLIC_ENDPOINTS or current_user.is_authenticated:
            return None
        if is_fragment():
            # A login does not fit into a part of a page: htmx loads the page itself again.
            return "", HTTPStatus.UNAUTHORIZED, {"HX-Refresh": "true"}
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("console.login", next=wanted))

    @blueprint.before_request
    def need_csrf_token() -> None:
        csrf.protect()

    @blueprint.before_request
    def need_permission() -> None:
        if request.endpoint in OPEN_TO_ALL:
            return
        if not may(current_member().role, needed_permission()):
            raise Forbidden(Phrase("this is for others of the team: ask an owner of the business"))


def current_member() -> User:
    """Whose session this is; only behind the guard."""
    user: User = current_user.user
    return user


def current_actor() -> Actor:
    """Whoever is logged in, as what they do is noted."""
    return Actor(ModeBy.CONSOLE, current_member().name)


def local_path(target: str) -> str:
    """*target* if it is an address of this console, else the console's first page."""
    if target.startswith("/console/") and target.isprintable() and "\\" not in target:
        return target
    return url_for("console.list_conversations")


def begin_session(user: User, now: datetime) -> None:
    """Let this browser in as *user*."""
    # Nothing of what the browser brought along survives: a planted session is worth nothing.
    session.clear()
    session.permanent = True
    # Not in whole seconds: a session may begin right after all others were ended.
    session[BEGAN] = now.timestamp()
    login_user(Member(user))


def keep_session(user: User) -> None:
    """Go on with this session under *user*'s new password."""
    login_user(Member(user))

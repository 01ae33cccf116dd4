"""Login, logout and sessions. Whatever does not say that it is public needs a session."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import structlog
from flask import Blueprint, Flask, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect

from server.console.access import PUBLIC_ENDPOINTS, needed_permission
from server.console.throttle import Throttle
from server.domain.staff import may
from server.errors import Forbidden
from server.ports.clock import Clock
from server.store.users import NAME_MAX_LENGTH, User, Users

SESSION_LENGTH = timedelta(hours=12)

# What whoever is logged in may do, whatever they are to the business.
OPEN_TO_ALL = PUBLIC_ENDPOINTS | {"console.logout"}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """A user as Flask-Login wants one."""

    user: User
    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        """What the session cookie holds: with another password it is another id."""
        return f"{self.user.id}.{self.user.password_mark}"


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, for https alone as soon as there is https."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 (the interface's)
        return request.is_secure


def start_sessions(app: Flask, users: Users, clock: Clock) -> None:
    """Let *app* know its users by a session cookie that ends `SESSION_LENGTH` after the login."""
    app.session_interface = _Sessions()
    app.config.update(
        SESSION_COOKIE_NAME="frontdesk_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=SESSION_LENGTH,
    )

    def load(session_id: str) -> Member | None:
        began = datetime.fromtimestamp(session.get("began", 0), UTC)
        if clock.now() - began >= SESSION_LENGTH:
            return None
        user = users.find(int(session_id.partition(".")[0]))
        member = None if user is None else Member(user)
        return member if member is not None and member.get_id() == session_id else None

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
            raise Forbidden("this is for others of the team: ask an owner of the business")


def current_member() -> User:
    """Whose session this is; only behind the guard."""
    user: User = current_user.user
    return user


def local_path(target: str) -> str:
    """*target* if it is an address of this console, else the console's first page."""
    if target.startswith("/console/") and target.isprintable() and "\\" not in target:
        return target
    return url_for("console.list_conversations")


def add_login(blueprint: Blueprint, users: Users, throttle: Throttle, clock: Clock) -> None:
    """Add the login and logout pages."""

    @blueprint.get("/login")
    def login() -> ResponseReturnValue:
        wanted = local_path(request.args.get("next", ""))
        if current_user.is_authenticated:
            return redirect(wanted)
        return render_template("login.html", next=wanted)

    @blueprint.post("/login")
    def check_login() -> ResponseReturnValue:
        name = _printable(request.form.get("name", ""))[:NAME_MAX_LENGTH].strip()
        wanted = local_path(request.form.get("next", ""))
        key = (name.casefold(), request.remote_addr or "")
        wait_s = throttle.take(key)
        if wait_s > 0:
            _log.warning("login.throttled")
            page = render_template("login.html", next=wanted, name=name, wait_minutes=math.ceil(wait_s / 60))
            return page, 429, {"Retry-After": str(math.ceil(wait_s))}
        user = users.verify(name, request.form.get("password", ""))
        if user is None:
            _log.info("login.refused")
            return render_template("login.html", next=wanted, name=name, is_wrong=True), 403
        throttle.forget(key)
        _begin_session(user, clock.now())
        _log.info("login.done", user_id=user.id, tenant_id=user.tenant_id)
        return redirect(wanted, 303)

    @blueprint.post("/logout")
    def logout() -> ResponseReturnValue:
        logout_user()
        session.clear()
        return redirect(url_for("console.login"), 303)


def _begin_session(user: User, now: datetime) -> None:
    # Nothing of what the browser brought along survives: a planted session is worth nothing.
    session.clear()
    session.permanent = True
    session["began"] = int(now.timestamp())
    login_user(Member(user))


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())

"""Login in one step or two, and logout."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import structlog
from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user

from server.console.auth import begin_session, local_path
from server.console.sessions import session_id
from server.console.throttle import Key, Throttle
from server.domain.audit import AuditAction
from server.domain.modes import Actor, ModeBy
from server.ports.clock import Clock
from server.store.second_factors import SecondFactors
from server.store.users import NAME_MAX_LENGTH, User, Users

# Between the password and the code of the second factor.
CODE_WITHIN = timedelta(minutes=5)
# Where the session keeps who has given the password, and when.
_PENDING, _PENDING_SINCE = "pending", "pending_since"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Door:
    """What lets users in."""

    users: Users
    factors: SecondFactors
    throttle: Throttle
    clock: Clock

    def let_in(self, user: User, wanted: str) -> ResponseReturnValue:
        self.users.note_login(user, _actor(user), AuditAction.LOGIN)
        begin_session(user, self.clock.now())
        _log.info("login.done", user_id=user.id, tenant_id=user.tenant_id)
        return redirect(wanted, HTTPStatus.SEE_OTHER)

    def ask_for_code(self, user: User, wanted: str) -> ResponseReturnValue:
        """The user has given the password, and nothing is open yet."""
        session.clear()
        session[_PENDING] = session_id(user)
        session[_PENDING_SINCE] = self.clock.now().timestamp()
        return redirect(url_for("console.ask_code", next=wanted), HTTPStatus.SEE_OTHER)

    def pending(self) -> User | None:
        """Who has given the password a moment ago, and is to give a code."""
        known_as, since = session.get(_PENDING), session.get(_PENDING_SINCE)
        if not isinstance(known_as, str) or not isinstance(since, float):
            return None
        if self.clock.now() - datetime.fromtimestamp(since, UTC) >= CODE_WITHIN:
            return None
        user = self.users.find(int(known_as.partition(".")[0]))
        # With another password since, or without a second factor, the login begins anew.
        if user is None or user.is_disabled or not user.has_second_factor or session_id(user) != known_as:
            return None
        return user


def add_login(
    blueprint: Blueprint, users: Users, factors: SecondFactors, throttle: Throttle, clock: Clock
) -> None:
    """Add the login and logout pages."""
    door = _Door(users, factors, throttle, clock)
    _add_password_page(blueprint, door)
    _add_code_page(blueprint, door)

    @blueprint.post("/logout")
    def logout() -> ResponseReturnValue:
        logout_user()
        session.clear()
        return redirect(url_for("console.login"), HTTPStatus.SEE_OTHER)


def _add_password_page(blueprint: Blueprint, door: _Door) -> None:
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
        key = password_key(name)
        wait_s = door.throttle.take(key)
        if wait_s > 0:
            return _throttled("login.html", wait_s, next=wanted, name=name)
        user = door.users.verify(name, request.form.get("password", ""))
        if user is None:
            _log.info("login.refused")
            page = render_template("login.html", next=wanted, name=name, is_wrong=True)
            return page, HTTPStatus.FORBIDDEN
        door.throttle.forget(key)
        return door.ask_for_code(user, wanted) if user.has_second_factor else door.let_in(user, wanted)


def _add_code_page(blueprint: Blueprint, door: _Door) -> None:
    @blueprint.get("/login/code")
    def ask_code() -> ResponseReturnValue:
        wanted = local_path(request.args.get("next", ""))
        if door.pending() is None:
            return redirect(url_for("console.login", next=wanted))
        return render_template("login_code.html", next=wanted)

    @blueprint.post("/login/code")
    def check_code() -> ResponseReturnValue:
        wanted = local_path(request.form.get("next", ""))
        user = door.pending()
        if user is None:
            return redirect(url_for("console.login", next=wanted), HTTPStatus.SEE_OTHER)
        key = code_key(user)
        wait_s = door.throttle.take(key)
        if wait_s > 0:
            return _throttled("login_code.html", wait_s, next=wanted)
        if not door.factors.accepts(user, typed_code()):
            _log.info("login.code_refused", user_id=user.id, tenant_id=user.tenant_id)
            door.users.note_login(user, _actor(user), AuditAction.SECOND_FACTOR_REFUSED)
            return render_template("login_code.html", next=wanted, is_wrong=True), HTTPStatus.FORBIDDEN
        door.throttle.forget(key)
        return door.let_in(user, wanted)


def password_key(name: str) -> Key:
    """What passwords of a name, tried from this request's address, are counted under."""
    return name.casefold(), request.remote_addr or ""


def code_key(user: User) -> Key:
    """What codes of a user are counted under, wherever they come from: many addresses could try a million."""
    return "second factor", str(user.id)


def typed_code() -> str:
    """The code in this request's form, as it is read aloud or copied."""
    return "".join(request.form.get("code", "").split())


def _actor(user: User) -> Actor:
    return Actor(ModeBy.CONSOLE, user.name)


def _throttled(template: str, wait_s: float, **values: object) -> ResponseReturnValue:
    _log.warning("login.throttled")
    page = render_template(template, wait_minutes=math.ceil(wait_s / 60), **values)
    return page, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(math.ceil(wait_s))}


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())

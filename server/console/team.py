"""The business's staff: who may log in, and as what."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.conversations import checked_id
from server.console.forms import written
from server.console.pages import Pages
from server.console.translations import words_of
from server.domain.passwords import make_password
from server.domain.phrases import Phrase
from server.domain.staff import Permission, Role
from server.errors import UnprocessableRequest
from server.store.users import NAME_MAX_LENGTH, Users


def add_team(blueprint: Blueprint, pages: Pages, users: Users) -> None:
    """Add the page and its forms; each reaches the staff of one's own business alone."""

    @blueprint.get("/team")
    @needs(Permission.MANAGE)
    def show_team() -> str:
        return _page(done=request.args.get("done", ""))

    @blueprint.post("/team")
    @needs(Permission.MANAGE)
    def add_user() -> ResponseReturnValue:
        password = make_password()
        name, role = written("name"), _role(request.form.get("role", ""))
        try:
            added = users.add(current_member().tenant_id, name, password, role, current_actor())
        except UnprocessableRequest as error:
            return _page(fault=f"{words_of(error)}.", name=name, role=role), HTTPStatus.UNPROCESSABLE_ENTITY
        return _page(made_for=added.name, password=password)

    @blueprint.post("/team/<int:user_id>/role")
    @needs(Permission.MANAGE)
    def change_role(user_id: int) -> ResponseReturnValue:
        role = _role(request.form.get("role", ""))
        users.set_role(current_member().tenant_id, checked_id(user_id), role, current_actor())
        return _back("role")

    @blueprint.post("/team/<int:user_id>/password")
    @needs(Permission.MANAGE)
    def reset_password(user_id: int) -> ResponseReturnValue:
        user = users.get(current_member().tenant_id, checked_id(user_id))
        password = make_password()
        users.set_password(user, password, current_actor())
        users.drop_second_factor(user.tenant_id, user.id, current_actor())
        return _page(made_for=user.name, password=password)

    @blueprint.post("/team/<int:user_id>/disable")
    @needs(Permission.MANAGE)
    def disable_user(user_id: int) -> ResponseReturnValue:
        users.disable(current_member().tenant_id, checked_id(user_id), current_actor())
        return _back("disabled")

    @blueprint.post("/team/<int:user_id>/enable")
    @needs(Permission.MANAGE)
    def enable_user(user_id: int) -> ResponseReturnValue:
        users.enable(current_member().tenant_id, checked_id(user_id), current_actor())
        return _back("enabled")

    @blueprint.post("/team/<int:user_id>/sessions/end")
    @needs(Permission.MANAGE)
    def end_sessions(user_id: int) -> ResponseReturnValue:
        users.end_sessions(current_member().tenant_id, checked_id(user_id), current_actor())
        return _back("sessions")

    # A password that was made is in this one answer: neither in an address nor in a cookie.
    def _page(**values: object) -> str:
        return pages.render(
            "team.html",
            team=users.all(current_member().tenant_id),
            roles=list(Role),
            longest_name=NAME_MAX_LENGTH,
            **values,
        )


def _role(value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise UnprocessableRequest(Phrase("go back and choose a role")) from None


def _back(done: str) -> ResponseReturnValue:
    return redirect(url_for("console.show_team", done=done), HTTPStatus.SEE_OTHER)

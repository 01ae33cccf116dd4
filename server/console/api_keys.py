"""The business's keys of the API."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.conversations import checked_id
from server.console.forms import written
from server.console.pages import Pages
from server.domain.phrases import Phrase
from server.domain.staff import Permission
from server.errors import UnprocessableRequest
from server.store.keys import NAME_MAX_LENGTH, ApiKeys


def add_api_keys(blueprint: Blueprint, pages: Pages, keys: ApiKeys) -> None:
    """Add the page and its forms."""

    @blueprint.get("/keys")
    @needs(Permission.MANAGE)
    def show_keys() -> str:
        return _page()

    @blueprint.post("/keys")
    @needs(Permission.MANAGE)
    def make_key() -> ResponseReturnValue:
        name = written("name")
        if not name:
            raise UnprocessableRequest(Phrase("go back and give the key a name: it is known by that later"))
        # It is in this one answer: neither in an address nor in a cookie.
        return _page(made=keys.create(current_member().tenant_id, name, current_actor()), made_name=name)

    @blueprint.post("/keys/<int:key_id>/revoke")
    @needs(Permission.MANAGE)
    def revoke_key(key_id: int) -> ResponseReturnValue:
        keys.revoke(current_member().tenant_id, checked_id(key_id), current_actor())
        return redirect(url_for("console.show_keys"), HTTPStatus.SEE_OTHER)

    def _page(**values: object) -> str:
        found = keys.all(current_member().tenant_id)
        return pages.render("api_keys.html", keys=found, longest_name=NAME_MAX_LENGTH, **values)

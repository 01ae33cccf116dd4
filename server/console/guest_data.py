"""All that is kept of one guest: handed out to them, and erased when they ask for it."""

from __future__ import annotations

import json
import re
from http import HTTPStatus

from flask import Blueprint, Response, redirect, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.conversations import checked_id
from server.console.forms import written
from server.console.pages import Pages
from server.console.translations import gettext, translated, words_of
from server.domain.staff import Permission
from server.domain.views import GuestView
from server.errors import Conflict
from server.inbox.erasing import Eraser
from server.store.guest_data import GuestData

# As short a number as can be meant: `5` is no number of anybody's.
_LEAST_DIGITS = 6


def add_guest_data(blueprint: Blueprint, pages: Pages, guests: GuestData, eraser: Eraser) -> None:
    """Add the page and its forms."""

    @blueprint.get("/guests/<int:guest_id>/data")
    @needs(Permission.MANAGE)
    def show_guest_data(guest_id: int) -> str:
        return _page(guest_id)

    @blueprint.post("/guests/<int:guest_id>/data/export")
    @needs(Permission.MANAGE)
    def export_guest(guest_id: int) -> ResponseReturnValue:
        data = guests.export(current_member().tenant_id, checked_id(guest_id), current_actor())
        return Response(
            json.dumps(data, ensure_ascii=False, indent=2),
            mimetype="application/json",
            headers={"Content-Disposition": f'attachment; filename="guest-{guest_id}.json"'},
        )

    @blueprint.post("/guests/<int:guest_id>/data/erase")
    @needs(Permission.MANAGE)
    def erase_guest(guest_id: int) -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        summary = guests.summary(tenant_id, checked_id(guest_id))
        if not _names(written("name"), summary.guest):
            fault = gettext("This is not the guest's name or number. Nothing was erased.")
            return _page(guest_id, fault), HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            eraser.erase(tenant_id, guest_id, current_actor())
        except Conflict as error:
            return _page(guest_id, f"{words_of(error)}."), HTTPStatus.CONFLICT
        return redirect(url_for("console.show_audit"), HTTPStatus.SEE_OTHER)

    def _page(guest_id: int, fault: str = "") -> str:
        summary = guests.summary(current_member().tenant_id, checked_id(guest_id))
        return pages.render("guest_data.html", summary=summary, fault=fault)


def _names(text: str, guest: GuestView) -> bool:
    """Whether *text* is what the guest is called on the page, or the guest's number in any writing."""
    called = (translated(guest.title), guest.handle)
    if text.casefold() in {name.strip().casefold() for name in called if name}:
        return True
    digits = re.sub(r"[\s+().-]", "", text)
    is_number = digits.isdigit() and len(digits) >= _LEAST_DIGITS
    return is_number and guest.phone is not None and guest.phone.lstrip("+") == digits.removeprefix("00")

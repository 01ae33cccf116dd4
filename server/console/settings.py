"""The settings of the business, and the switch that lets people answer alone."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member, local_path
from server.console.pages import Pages
from server.console.settings_form import FIELDS, GROUPS, read, shown, typed
from server.console.translations import gettext
from server.domain.staff import Permission
from server.domain.tenants import TenantSettings
from server.errors import Conflict
from server.store.tenants import Tenants, settings_mark
from server.tenant_settings import Fault, check_settings, taken_numbers, time_zones
from server.translations import LANGUAGES


def _(text: str) -> str:
    """Marks *text* for translation, which happens when the page is made."""
    return text


_TAKEN = _("{value} is another business's on this installation")


def add_settings(blueprint: Blueprint, pages: Pages, tenants: Tenants) -> None:
    """Add the page, its form, and the switch."""

    @blueprint.get("/settings")
    @needs(Permission.MANAGE)
    def show_settings() -> str:
        current = tenants.get(current_member().tenant_id).settings
        return _page(pages, current, shown(current), [])

    @blueprint.post("/settings")
    @needs(Permission.MANAGE)
    def save_settings() -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        current = tenants.get(tenant_id).settings
        answers = typed(request.form, current)
        checked = check_settings(read(answers, current))
        faults = [*checked.faults, *_taken(tenants, tenant_id, checked.settings)]
        if faults:
            seen = request.form.get("seen", "")
            return _page(pages, current, answers, faults, seen), HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            tenants.change(tenant_id, checked.settings, request.form.get("seen", ""), current_actor())
        except Conflict:
            return _page(pages, current, answers, [], is_overtaken=True), HTTPStatus.CONFLICT
        return redirect(url_for("console.show_settings", saved=1), HTTPStatus.SEE_OTHER)

    @blueprint.post("/pause")
    @needs(Permission.MANAGE)
    def set_pause() -> ResponseReturnValue:
        tenants.set_paused(current_member().tenant_id, request.form.get("paused") == "1", current_actor())
        return redirect(local_path(request.form.get("next", "")), HTTPStatus.SEE_OTHER)


def _page(
    pages: Pages,
    current: TenantSettings,
    answers: dict[str, str],
    faults: list[Fault],
    seen: str | None = None,
    *,
    is_overtaken: bool = False,
) -> str:
    """The form with *answers* in it.

    Args:
        seen: the mark of the settings that *answers* began with; None: those there are now.
        is_overtaken: they were changed meanwhile: what is kept now is told beside what was typed.
    """
    kept = shown(current)
    return pages.render(
        "settings.html",
        groups=GROUPS,
        all_fields=FIELDS,
        fault_words=_fault_words,
        answers=answers,
        faults={fault.setting: fault for fault in faults},
        meanwhile={name: kept[name] for name in kept if is_overtaken and kept[name] != answers[name]},
        is_overtaken=is_overtaken,
        is_saved=request.args.get("saved") == "1",
        seen=settings_mark(current) if seen is None else seen,
        zones=sorted(time_zones()),
        languages=LANGUAGES,
    )


def _fault_words(fault: Fault) -> str:
    return gettext(fault.words).format(value=fault.value)


def _taken(tenants: Tenants, tenant_id: str, settings: TenantSettings) -> list[Fault]:
    """Whose they are is not this business's to know."""
    taken = taken_numbers(tenant_id, settings, tenants.all())
    return [Fault("phone_numbers", _TAKEN, number) for number in list(taken)[:1]]

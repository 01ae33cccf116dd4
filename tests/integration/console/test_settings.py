"""The settings page: what is kept, what is refused and why, and who paused the desk."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.domain.modes import Actor, ModeBy
from server.domain.staff import Role
from server.errors import Conflict
from server.store.inbox import Inbox
from server.store.models import AuditRow
from server.store.session import Database
from server.store.tenants import Tenants, settings_mark
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message
from tests.support.console import PASSWORD, log_in, token

URL = "/console/settings"
NOA = "console: Noa"

on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


def form_of(page: TestResponse) -> dict[str, str]:
    """What a browser would send of the page's form if nobody touched it."""
    html = page.text[page.text.index('<form class="settings"') :]
    form = {"csrf_token": token(page)}
    for tag in re.findall(r"<input\b[^>]*>", html):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        assert name
        if "checkbox" not in tag or " checked" in tag:
            form[name[1]] = unescape(value[1]) if value else ""
    for name, value in re.findall(r'<textarea[^>]*\bname="([^"]+)"[^>]*>\n(.*?)</textarea>', html, re.DOTALL):
        form[name] = unescape(value)
    for name, choices in re.findall(r'<select[^>]*\bname="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")?[^>]* selected>([^<]*)', choices)
        assert chosen
        form[name] = unescape(chosen[2] if chosen[1] is None else chosen[1])
    return form


def save(client: FlaskClient, changes: dict[str, str]) -> TestResponse:
    return client.post(URL, data=form_of(client.get(URL)) | changes)


def audit(database: Database) -> list[tuple[str, str, dict[str, object]]]:
    """What was noted of the settings and the pause."""
    with database.read() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.subject == "tenant 1").order_by(AuditRow.id))
        return [(row.actor, row.action, row.details) for row in rows]


def colleague(app: Flask, users: Users, role: Role) -> FlaskClient:
    """Another browser, of somebody with that role."""
    users.add("1", f"A {role}", PASSWORD, role)
    client = app.test_client()
    assert log_in(client, f"A {role}").status_code == HTTPStatus.SEE_OTHER
    return client


@on_both_databases
def test_a_form_that_nobody_touched_changes_nothing(
    staff: FlaskClient, tenants: Tenants, database: Database
) -> None:
    rich = replace(
        tenants.get("1").settings,
        hours="8 to 22\nand by appointment",
        facts=("A <garden> & a lift", "Pets: yes"),
        auto_messages=("Hello!\nWe answer soon.", "Closed"),
        rings_first=True,
        transfer_number="+972501234567",
        daily_budget_usd=2.5,
        team_language="he",
    )
    tenants.update("1", rich)
    assert save(staff, {}).status_code == HTTPStatus.SEE_OTHER
    assert tenants.get("1").settings == rich
    assert audit(database) == []


@on_both_databases
def test_changes_are_kept_and_noted_by_name_alone(
    staff: FlaskClient, tenants: Tenants, database: Database
) -> None:
    answer = save(staff, {"hours": "Always open", "staff_numbers": "+972501234567\r\n+972501234568"})
    assert answer.status_code == HTTPStatus.SEE_OTHER
    settings = tenants.get("1").settings
    assert (settings.hours, settings.staff_numbers) == ("Always open", ("+972501234567", "+972501234568"))
    assert audit(database) == [(NOA, "settings.changed", {"settings": ["hours", "staff_numbers"]})]
    assert "Saved." in staff.get(answer.location).text


def test_what_will_not_do_is_told_at_its_field_and_nothing_typed_is_lost(
    staff: FlaskClient, tenants: Tenants
) -> None:
    before = tenants.get("1").settings
    answer = save(staff, {"hours": "Always <open>", "staff_emails": "nobody", "daily_budget_usd": "five"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert tenants.get("1").settings == before
    typed = form_of(answer)
    assert (typed["hours"], typed["staff_emails"], typed["daily_budget_usd"]) == (
        "Always <open>",
        "nobody",
        "five",
    )
    for name in ("staff_emails", "daily_budget_usd"):
        (control,) = re.findall(rf'<(?:input|textarea)\b[^>]*\bid="{name}"[^>]*>', answer.text)
        assert f'aria-describedby="{name}-help {name}-fault"' in control
        assert 'aria-invalid="true"' in control
        assert f'id="{name}-fault"' in answer.text
        assert f'href="#{name}"' in answer.text
    assert "is no e-mail address; one is owner@hotel.example" in unescape(answer.text)
    assert answer.text.count('aria-invalid="true"') == 2


def test_the_team_s_language_is_chosen_of_those_that_there_are(staff: FlaskClient, tenants: Tenants) -> None:
    page = staff.get(URL)
    assert form_of(page)["team_language"] == ""
    (choices,) = re.findall(r'<select id="team_language"[^>]*>(.*?)</select>', page.text, re.DOTALL)
    assert re.findall(r'value="([^"]*)"', choices) == ["", "en", "he"]
    assert '<label for="team_language">Language of what they are told</label>' in page.text
    assert save(staff, {"team_language": "he"}).status_code == HTTPStatus.SEE_OTHER
    assert tenants.get("1").settings.team_language == "he"
    refused = save(staff, {"team_language": "fr"})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert form_of(refused)["team_language"] == "fr"
    assert tenants.get("1").settings.team_language == "he"
    assert save(staff, {"team_language": ""}).status_code == HTTPStatus.SEE_OTHER
    assert tenants.get("1").settings.team_language == ""


def test_the_team_s_language_has_a_name_in_hebrew(staff: FlaskClient) -> None:
    page = staff.get(URL, headers={"Accept-Language": "he"})
    assert '<label for="team_language">שפת ההודעות לצוות</label>' in page.text


def test_what_was_mended_can_be_saved_from_the_page_that_refused_it(
    staff: FlaskClient, tenants: Tenants
) -> None:
    refused = save(staff, {"staff_emails": "nobody", "hours": "Always open"})
    saved = staff.post(URL, data=form_of(refused) | {"staff_emails": "owner@hotel.example"})
    assert saved.status_code == HTTPStatus.SEE_OTHER
    settings = tenants.get("1").settings
    assert (settings.hours, settings.staff_emails) == ("Always open", ("owner@hotel.example",))


def test_a_change_of_somebody_else_meanwhile_is_noticed_and_shown(
    staff: FlaskClient, tenants: Tenants
) -> None:
    form = form_of(staff.get(URL))
    tenants.update("1", replace(tenants.get("1").settings, hours="From 9"))
    answer = staff.post(URL, data=form | {"prompt": "Warm."})
    assert answer.status_code == HTTPStatus.CONFLICT
    assert (tenants.get("1").settings.hours, tenants.get("1").settings.prompt) == ("From 9", "")
    assert "Saved meanwhile:" in answer.text
    assert "From 9" in answer.text
    assert form_of(answer)["prompt"] == "Warm."
    assert staff.post(URL, data=form_of(answer) | {"hours": "From 9"}).status_code == HTTPStatus.SEE_OTHER
    assert (tenants.get("1").settings.hours, tenants.get("1").settings.prompt) == ("From 9", "Warm.")


def test_to_pause_the_desk_takes_nothing_from_who_edits_its_settings(
    staff: FlaskClient, tenants: Tenants
) -> None:
    form = form_of(staff.get(URL))
    tenants.set_paused("1", True, Actor(ModeBy.CONSOLE, "Dana"))
    assert staff.post(URL, data=form | {"hours": "Always open"}).status_code == HTTPStatus.SEE_OTHER
    settings = tenants.get("1").settings
    assert (settings.hours, settings.ai_paused) == ("Always open", True)


@on_both_databases
def test_of_two_who_save_the_same_page_the_second_is_told(database: Database, tenants: Tenants) -> None:
    first = tenants.get("1").settings
    mark, actor = settings_mark(first), Actor(ModeBy.CONSOLE, "Noa")
    assert tenants.change("1", replace(first, hours="From 8"), mark, actor) == ["hours"]
    with pytest.raises(Conflict):
        tenants.change("1", replace(first, hours="From 9"), mark, actor)
    assert tenants.get("1").settings.hours == "From 8"


def test_a_phone_number_of_another_business_is_refused_without_a_word_of_whose_it_is(
    staff: FlaskClient, tenants: Tenants
) -> None:
    tenants.update("2", replace(tenants.get("2").settings, phone_numbers=("+97231234567",)))
    answer = save(staff, {"phone_numbers": "+97231234567"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "another business" in unescape(answer.text)
    assert "Hill Inn" not in answer.text
    assert tenants.get("1").settings.phone_numbers == ()


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
def test_only_an_owner_sees_and_changes_them(
    app: Flask, staff: FlaskClient, users: Users, tenants: Tenants, role: Role
) -> None:
    other = colleague(app, users, role)
    form = form_of(staff.get(URL)) | {"csrf_token": token(other.get("/console/numbers"))}
    assert other.get(URL).status_code == HTTPStatus.FORBIDDEN
    assert other.post(URL, data=form | {"hours": "Never"}).status_code == HTTPStatus.FORBIDDEN
    paused = other.post("/console/pause", data={"csrf_token": form["csrf_token"], "paused": "1"})
    assert paused.status_code == HTTPStatus.FORBIDDEN
    assert (tenants.get("1").settings.hours, tenants.get("1").settings.ai_paused) == ("", False)
    assert "Pause the AI" not in other.get("/console/").text


@pytest.mark.parametrize("page", ["/console/", URL])
def test_the_desk_is_paused_and_resumed_where_its_button_stands(
    staff: FlaskClient, tenants: Tenants, database: Database, page: str
) -> None:
    def press(paused: str) -> TestResponse:
        shown = staff.get(page)
        assert f'name="paused" value="{paused}"' in shown.text
        form = {"csrf_token": token(shown), "paused": paused, "next": page}
        return staff.post("/console/pause", data=form)

    assert press("1").location == page
    assert tenants.get("1").settings.ai_paused
    assert not tenants.get("2").settings.ai_paused
    assert press("0").location == page
    assert not tenants.get("1").settings.ai_paused
    assert [action for _, action, _ in audit(database)] == ["desk.paused", "desk.resumed"]


def test_everybody_sees_that_the_desk_is_paused_and_an_owner_can_resume_it(
    app: Flask, staff: FlaskClient, users: Users, tenants: Tenants
) -> None:
    viewer = colleague(app, users, Role.VIEWER)
    assert "The desk is paused: people answer." not in viewer.get("/console/").text
    tenants.set_paused("1", True, Actor(ModeBy.CONSOLE, "Noa"))
    for page in ("/console/", "/console/numbers"):
        assert "The desk is paused: people answer." in viewer.get(page).text
        assert "Resume" not in viewer.get(page).text
        assert "Resume" in staff.get(page).text


@on_both_databases
def test_another_process_takes_the_pause_at_the_very_next_message(
    database: Database, tenants: Tenants, clock: FakeClock
) -> None:
    # It has been open since before, as another process's would be.
    elsewhere = Database(database.url.render_as_string(hide_password=False))
    inbox = Inbox(elsewhere, clock)

    def is_paused_at_next_message() -> bool:
        (saved,) = inbox.save("1", [a_message(sent_at=clock.now())])
        turn = inbox.next_turn(saved.conversation_id, 0)
        assert turn is not None
        return turn.tenant.settings.ai_paused

    assert not is_paused_at_next_message()
    tenants.set_paused("1", True, Actor(ModeBy.CONSOLE, "Noa"))
    assert is_paused_at_next_message()
    tenants.set_paused("1", False, Actor(ModeBy.CONSOLE, "Noa"))
    assert not is_paused_at_next_message()
    elsewhere.close()

"""Today at a glance, and the morning report."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.domain.staff import Role
from server.domain.tenants import TenantSettings
from server.store.accounts import Accounts
from server.store.models import LineReportRow
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD, log_in
from tests.support.model_calls import an_entry
from tests.support.threads import ThreadBuilder

on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)

PROMISE: dict[str, Any] = {"handover": True, "reason": "not_known"}
TODAY, YESTERDAY = "2026-11-21", "2026-11-20"


@pytest.fixture
def maya(database: Database, clock: FakeClock, users: Users) -> ThreadBuilder:
    """She was promised an answer at noon yesterday."""
    thread = ThreadBuilder(database, clock.now() - timedelta(days=1), name="Maya <Rosen>")
    thread.reply("I have asked the team.", covers=[thread.guest_says("May we bring a parrot?")], turn=PROMISE)
    return thread


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(f"/console/{path}")
    assert answer.status_code == HTTPStatus.OK
    return answer.text


def words(text: str) -> str:
    """What is read."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@on_both_databases
def test_both_pages_show_what_there_is(staff: FlaskClient, maya: ThreadBuilder, database: Database) -> None:
    maya.needs_a_person()
    maya.calls("CA1")
    for path in ("overview", "report"):
        assert "Maya <Rosen>" in words(page(staff, path))
        assert "Maya <Rosen>" not in page(staff, path)


def test_the_overview_is_the_first_place_and_the_list_stays_the_first_page(staff: FlaskClient) -> None:
    places = re.findall(r'<a href="(/console/[^"]*)"', page(staff, "overview").split("</nav>")[0])
    assert places[:2] == ["/console/overview", "/console/"]
    assert staff.get("/console/").status_code == HTTPStatus.OK


def test_a_viewer_may_look_at_both(app: Flask, users: Users, anonymous: FlaskClient) -> None:
    users.add("1", "Vered", PASSWORD, Role.VIEWER)
    log_in(anonymous, "Vered")
    for path in ("overview", "report"):
        assert anonymous.get(f"/console/{path}").status_code == HTTPStatus.OK


def test_who_waits_leads_to_the_conversation_and_tells_for_how_long(
    staff: FlaskClient, maya: ThreadBuilder, clock: FakeClock
) -> None:
    maya.set(needs_human_since=clock.now() - timedelta(hours=3, minutes=5))
    shown = page(staff, "overview")
    assert f'href="/console/conversations/{maya.id}#latest"' in shown
    assert "for 3 h 5 min May we bring a parrot?" in words(shown)


def test_more_than_fit_are_counted_and_found_in_the_list(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    for _ in range(10):
        ThreadBuilder(database, clock.now()).needs_a_person()
    shown = page(staff, "overview")
    assert "Show all 10" in words(shown)
    assert 'href="/console/?needs_human=1"' in shown


def test_today_is_told_in_numbers_and_drawn(
    staff: FlaskClient, database: Database, clock: FakeClock, users: Users
) -> None:
    thread = ThreadBuilder(database, clock.now() - timedelta(hours=1))
    for _ in range(3):
        thread.reply("From 15:00.", covers=[thread.guest_says("When?")], after_s=1.5)
    thread.phone_says("See you!")
    shown = words(page(staff, "overview"))
    assert "Messages of guests 3 from 1 guest, new: 1" in shown
    assert "Answered by the desk 75 % The desk 3, people 1" in shown
    assert "The desk answers within 2.0 s 95 of 100 within 2.0 s" in shown
    assert "4 answers; most of them, 4, in the hour 10–11." in html.unescape(page(staff, "overview"))
    assert "10–11: the desk 3, people 1" in shown
    assert "10–11 3 3 1" in shown


def test_a_plot_has_nothing_inline_that_the_policy_forbids(staff: FlaskClient, maya: ThreadBuilder) -> None:
    for path in ("overview", "report"):
        shown = page(staff, path)
        assert "<svg" in shown
        assert " style=" not in shown
        assert "<style" not in shown
        assert not re.search(r"<script(?![^>]* src=)", shown)


@pytest.mark.parametrize(
    ("reported", "told"),
    [
        (None, "WhatsApp: Not linked"),
        ({"is_linked": False}, "WhatsApp: Not linked"),
        ({"is_linked": True}, "WhatsApp: Works"),
        ({"is_linked": True, "down_min": 5}, "WhatsApp: Down since 11:25"),
        ({"is_linked": True, "ago_min": 10}, "WhatsApp: Nothing is heard of it since 11:20"),
    ],
)
def test_the_number_is_as_it_was_told_last(
    staff: FlaskClient,
    database: Database,
    clock: FakeClock,
    reported: dict[str, Any] | None,
    told: str,
) -> None:
    if reported is not None:
        minute = timedelta(minutes=1)
        down_min = reported.get("down_min")
        with database.write() as session:
            session.add(
                LineReportRow(
                    tenant_id="1",
                    is_linked=reported["is_linked"],
                    down_since=None if down_min is None else clock.now() - down_min * minute,
                    reported_at=clock.now() - reported.get("ago_min", 0) * minute,
                )
            )
    assert told in words(page(staff, "overview"))


def test_what_was_spent_stands_against_the_budget(
    staff: FlaskClient, database: Database, tenants: Tenants
) -> None:
    Accounts(database).save([an_entry(7, 1_250_000)])
    assert "$1.25 No budget is set." in words(page(staff, "overview"))
    tenants.update("1", TenantSettings(name="Harbour House", daily_budget_usd=5))
    assert "$1.25 25 % of $5.00" in words(page(staff, "overview"))
    assert "Of the day's budget 25 % is used" in page(staff, "overview")
    assert "$1.25 · 25 % of $5.00" in words(page(staff, f"report?day={TODAY}"))


def test_a_new_business_is_told_what_to_do_first(staff: FlaskClient, database: Database) -> None:
    shown = page(staff, "overview")
    assert "First steps" in shown
    assert 'href="/console/numbers"' in shown
    assert 'href="/console/knowledge"' in shown
    assert "Answers by the hour" not in shown


def test_the_report_is_of_yesterday_unless_a_day_is_asked_for(
    staff: FlaskClient, maya: ThreadBuilder
) -> None:
    assert "Friday 20 November 2026" in page(staff, "report")
    assert page(staff, "report") == page(staff, f"report?day={YESTERDAY}")
    assert "Promises that are open 1 of 1 Maya <Rosen> since 11:30 May we bring a parrot?" in words(
        page(staff, "report")
    )
    assert "No promise of the day is open." in page(staff, "report?day=2026-11-19")


def test_a_kept_promise_tells_when_and_moments_of_other_days_have_a_date(
    staff: FlaskClient, maya: ThreadBuilder
) -> None:
    maya.phone_says("Yes!", after_s=23 * 3_600)
    assert "Maya <Rosen> 11:30 , written to 21 Nov, 10:30 May we bring a parrot?" in words(
        page(staff, "report")
    )


def test_the_report_has_its_parts_in_their_order(staff: FlaskClient, maya: ThreadBuilder) -> None:
    headings = re.findall(r"<h2[^>]*>([^<]*)", page(staff, "report"))
    assert [heading.strip() for heading in headings] == [
        "Promises that are open",
        "Guests who wait for a person",
        "Promises that were kept",
        "Questions that no document answers",
        "Complaints",
        "Calls",
        "Answers",
        "Cost",
    ]


def test_a_report_leads_to_the_days_beside_it_but_not_into_the_future(staff: FlaskClient) -> None:
    shown = page(staff, "report")
    assert "/console/report?day=2026-11-19" in shown
    assert f"/console/report?day={TODAY}" in shown
    today = page(staff, f"report?day={TODAY}")
    assert "so far" in today
    assert "day=2026-11-22" not in today


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("yesterday", "such as 2026-11-21"),
        ("2026-02-30", "such as 2026-11-21"),
        ("20261120", "such as 2026-11-21"),
        ("0001-01-01", "such as 2026-11-21"),
        ("2026-11-22", "has not begun yet"),
    ],
)
def test_a_day_that_is_none_is_refused_with_what_to_do(staff: FlaskClient, day: str, told: str) -> None:
    answer = staff.get(f"/console/report?day={day}")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert told in answer.text


def test_the_report_tells_shares_and_times_of_desk_and_people(
    staff: FlaskClient, maya: ThreadBuilder
) -> None:
    maya.phone_says("Yes!", after_s=600)
    shown = words(page(staff, "report"))
    assert "The desk 50 % 1 answer Half within 1.9 s, 95 of 100 within 1.9 s" in shown
    assert "People 50 % 1 answer Half within 10 min 0 s, 95 of 100 within 10 min 0 s" in shown


def test_why_the_team_was_asked_is_told_in_words(
    staff: FlaskClient, database: Database, clock: FakeClock, users: Users
) -> None:
    thread = ThreadBuilder(database, clock.now() - timedelta(hours=1))
    thread.reply("I have asked.", covers=[thread.guest_says("May we?")], turn=PROMISE)
    assert "Why the desk asked the team no document answers it 1" in words(page(staff, "overview"))

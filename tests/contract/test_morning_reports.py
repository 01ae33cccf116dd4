"""The morning report goes out once a day, whoever looks and however often."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from server.domain.conversations import conversation_key, lane_key
from server.domain.messages import Channel, OutboundKind, conversation_lane
from server.domain.modes import OPERATOR
from server.domain.tenants import TenantSettings
from server.inbox.sweep import AT_ONCE, Sweep, every, waker
from server.store.guest_data import GuestData
from server.store.leases import Leases
from server.store.models import OutboxRow
from server.store.morning_reports import MorningReports
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.fakes.work_queue import FakeQueue
from tests.support.side_by_side import side_by_side
from tests.support.threads import ThreadBuilder

EMAIL = "owner@hotel.example"
WEBHOOK = "https://h.example/x"
URL = "http://desk.example"
HOUR_S = 3_600.0

Want = Callable[..., None]


@pytest.fixture
def clock() -> FakeClock:
    """At midnight of 21 November in Rome."""
    return FakeClock(datetime(2026, 11, 20, 23, tzinfo=UTC))


@pytest.fixture
def want(tenants: Tenants) -> Want:
    """Has business 1 want its report at seven, or as it says."""

    def change(**settings: Any) -> None:
        wanted = {
            "name": "Hill Inn",
            "time_zone": "Europe/Rome",
            "staff_numbers": ("+972501234567",),
            "staff_emails": (EMAIL,),
            "staff_webhook": WEBHOOK,
            "morning_report_at": "07:00",
        }
        tenants.update("1", TenantSettings(**(wanted | settings)))

    change()
    return change


@pytest.fixture
def reports(database: Database, clock: FakeClock, want: Want) -> MorningReports:
    return MorningReports(database, clock, URL)


def sent(database: Database) -> list[OutboxRow]:
    query = select(OutboxRow).where(OutboxRow.kind == OutboundKind.REPORT).order_by(OutboxRow.id)
    with database.read() as session:
        return list(session.scalars(query))


def test_it_goes_by_mail_and_webhook_at_its_time(
    reports: MorningReports, database: Database, clock: FakeClock
) -> None:
    clock.advance(7 * HOUR_S - 1)
    assert reports.put_due(AT_ONCE) == []
    clock.advance(1)
    lanes = reports.put_due(AT_ONCE)
    mail, webhook = sent(database)
    assert lanes == [mail.lane, webhook.lane]
    assert (mail.channel, mail.to_address) == (Channel.STAFF_EMAIL, EMAIL)
    assert mail.text.splitlines()[0] == "Morning report of Hill Inn: Friday 20 November 2026"
    assert mail.text.endswith(f"{URL}/console/report?day=2026-11-20")


def test_the_webhook_is_told_where_it_is_and_nothing_of_guests(
    reports: MorningReports, database: Database, clock: FakeClock
) -> None:
    ThreadBuilder(database, clock.now(), name="Maya").needs_a_person()
    clock.advance(8 * HOUR_S)
    reports.put_due(AT_ONCE)
    mail, webhook = sent(database)
    assert "Maya" in mail.text
    assert json.loads(webhook.text) == {
        "event": "morning_report",
        "tenant": "1",
        "day": "2026-11-20",
        "url": f"{URL}/console/report?day=2026-11-20",
    }


def test_it_goes_once_whatever_is_restarted_and_again_the_next_day(
    reports: MorningReports, database: Database, clock: FakeClock
) -> None:
    clock.advance(7 * HOUR_S)
    assert len(reports.put_due(AT_ONCE)) == 2
    for _ in range(3):
        clock.advance(HOUR_S)
        assert reports.put_due(AT_ONCE) == []
        assert MorningReports(database, clock, URL).put_due(AT_ONCE) == []
    clock.advance(24 * HOUR_S)
    assert len(reports.put_due(AT_ONCE)) == 2
    assert "21 November" in sent(database)[-2].text


def test_many_processes_at_once_send_it_once(database: Database, clock: FakeClock, want: Want) -> None:
    clock.advance(7 * HOUR_S)
    processes = [MorningReports(database, clock, URL) for _ in range(3)]
    side_by_side(*(partial(process.put_due, AT_ONCE) for process in processes))
    assert len(sent(database)) == 2


def test_it_is_late_but_not_forgotten_if_nothing_ran_in_the_morning(
    reports: MorningReports, database: Database, clock: FakeClock
) -> None:
    clock.advance(12 * HOUR_S)
    assert len(reports.put_due(AT_ONCE)) == 2
    assert "20 November" in sent(database)[0].text


def test_that_of_a_day_on_which_nothing_ran_is_not_made_up_for(
    reports: MorningReports, database: Database, clock: FakeClock
) -> None:
    clock.advance(24 * HOUR_S + 60)
    assert reports.put_due(AT_ONCE) == []
    clock.advance(7 * HOUR_S)
    reports.put_due(AT_ONCE)
    assert ["21 November" in row.text for row in sent(database)[::2]] == [True]


@pytest.mark.parametrize(
    "settings",
    [{"morning_report_at": ""}, {"staff_emails": (), "staff_webhook": ""}],
)
def test_who_wants_none_or_has_nobody_to_tell_gets_none(
    reports: MorningReports, database: Database, clock: FakeClock, want: Want, settings: dict[str, Any]
) -> None:
    want(**settings)
    clock.advance(10 * HOUR_S)
    assert reports.put_due(AT_ONCE) == []
    assert sent(database) == []


def test_who_is_added_after_it_went_out_waits_for_the_next(
    reports: MorningReports, database: Database, clock: FakeClock, want: Want
) -> None:
    clock.advance(7 * HOUR_S)
    reports.put_due(AT_ONCE)
    want(staff_emails=(EMAIL, "new@hotel.example"))
    assert MorningReports(database, clock, URL).put_due(AT_ONCE) == []


@pytest.mark.parametrize(
    ("day", "at", "utc"),
    [
        # The clock goes from 2 to 3: half past two is never shown, and half past three is meant.
        (datetime(2026, 3, 28, 23, tzinfo=UTC), "02:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        # It goes from 3 back to 2: the first half past two is meant.
        (datetime(2026, 10, 24, 22, tzinfo=UTC), "02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), "07:00", datetime(2026, 10, 25, 6, tzinfo=UTC)),
    ],
)
def test_the_time_is_that_of_the_business_s_clock_also_when_it_changes(
    database: Database, want: Want, day: datetime, at: str, utc: datetime
) -> None:
    want(morning_report_at=at)
    clock = FakeClock(day)
    reports = MorningReports(database, clock, URL)
    clock.advance((utc - day).total_seconds() - 1)
    assert reports.put_due(AT_ONCE) == []
    clock.advance(1)
    assert len(reports.put_due(AT_ONCE)) == 2
    clock.advance(2 * HOUR_S)
    assert reports.put_due(AT_ONCE) == []
    assert len(sent(database)) == 2


def test_one_business_s_fault_does_not_cost_another_its_report(
    reports: MorningReports, database: Database, tenants: Tenants, clock: FakeClock, want: Want
) -> None:
    want(time_zone="Mars/Olympus")
    tenants.update("2", TenantSettings(name="Sea", staff_emails=(EMAIL,), morning_report_at="07:00"))
    clock.advance(7 * HOUR_S)
    assert len(reports.put_due(AT_ONCE)) == 1
    assert [row.tenant_id for row in sent(database)] == ["2"]


def test_no_more_are_made_at_once_than_are_asked_for(
    reports: MorningReports, database: Database, tenants: Tenants, clock: FakeClock
) -> None:
    tenants.update("2", TenantSettings(name="Sea", staff_emails=(EMAIL,), morning_report_at="07:00"))
    clock.advance(7 * HOUR_S)
    assert [len(reports.put_due(1)) for _ in range(3)] == [2, 1, 0]


def test_the_sweep_wakes_the_lanes_of_what_is_due(
    reports: MorningReports, database: Database, clock: FakeClock
) -> None:
    lanes = FakeQueue()
    sweep = Sweep(every(60, waker(reports.put_due, lanes), clock))
    sweep.once()
    clock.advance(7 * HOUR_S)
    sweep.once()
    sweep.once()
    assert lanes.keys == [row.lane for row in sent(database)]


def test_a_guest_who_is_erased_is_not_in_it_any_more_and_it_is_not_sent_again(
    reports: MorningReports, database: Database, clock: FakeClock, leases: Leases
) -> None:
    thread = ThreadBuilder(database, clock.now(), name="Maya")
    thread.guest_says("May I bring a parrot?")
    thread.needs_a_person()
    other = ThreadBuilder(database, clock.now(), name="Tom")
    other.needs_a_person()
    clock.advance(7 * HOUR_S)
    reports.put_due(AT_ONCE)
    mail, _webhook = sent(database)
    guests = GuestData(database, clock)
    guest_id = 1
    assert "Tom" not in json.dumps(guests.export("1", guest_id, OPERATOR))
    keys = [conversation_key(thread.id), lane_key(conversation_lane(thread.id)), lane_key(mail.lane)]
    held = [lease for key in keys if (lease := leases.claim(key)) is not None]
    guests.erase(held, "1", guest_id, OPERATOR)
    texts = [row.text for row in sent(database)]
    assert len(texts) == 2
    assert "Maya" not in texts[0]
    assert "parrot" not in texts[0]
    assert MorningReports(database, clock, URL).put_due(AT_ONCE) == []

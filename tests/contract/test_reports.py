"""A day of a business in numbers and lists, and what is open there."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server.domain.messages import DeliveryState
from server.domain.playground import playground_key
from server.domain.questions import QuestionState
from server.domain.reports import (
    BusinessDay,
    CallFigures,
    DayFigures,
    FirstSteps,
    Promises,
    PromiseState,
    Traffic,
)
from server.domain.tenants import TenantSettings
from server.errors import NotFound
from server.store.accounts import Accounts
from server.store.models import CallRow, DocumentRow, DraftRow, LineReportRow, QuestionRow
from server.store.report_lists import LISTED
from server.store.reports import Reports
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.model_calls import an_entry
from tests.support.threads import ThreadBuilder

ZONE = ZoneInfo("Asia/Jerusalem")
# 12:00 there; the clock of the tests stands at 11:30.
NOON = datetime(2026, 11, 20, 10, tzinfo=ZoneInfo("UTC"))
DAY = BusinessDay(date(2026, 11, 20), ZONE)
PROMISE: dict[str, Any] = {"handover": True, "reason": "not_known"}


@pytest.fixture
def reports(database: Database, clock: FakeClock, tenants: Tenants) -> Reports:
    return Reports(database, clock)


@pytest.fixture
def thread(database: Database, tenants: Tenants) -> ThreadBuilder:
    """Maya's."""
    return ThreadBuilder(database, NOON, name="Maya")


def figures(reports: Reports, day: BusinessDay = DAY) -> DayFigures:
    return reports.figures("1", day)


def promises(reports: Reports, day: BusinessDay = DAY) -> Promises:
    return reports.report("1", day).promises


def promise(
    thread: ThreadBuilder, asked: str = "May we bring a parrot?", turn_id: str = "", **turn: Any
) -> None:
    """A reply that calls the team."""
    named = {"id": turn_id} if turn_id else {}
    changes: dict[str, Any] = {"turn_id": turn_id} if turn_id else {}
    thread.reply(
        "I have asked the team.",
        covers=[thread.guest_says(asked)],
        turn=PROMISE | named | turn,
        **changes,
    )


def ask(database: Database, thread: ThreadBuilder, turn_id: str, **changes: Any) -> None:
    values: dict[str, Any] = {
        "tenant_id": "1",
        "conversation_id": thread.id,
        "turn_id": turn_id,
        "text": "May we bring a parrot?",
        "language": "en",
        "state": QuestionState.OPEN,
        "asked_at": thread.at,
    }
    with database.write() as session:
        session.add(QuestionRow(**(values | changes)))


def write(thread: ThreadBuilder, text: str = "Yes, you may.", **changes: Any) -> None:
    """A member of staff writes in the console."""
    thread.reply(text, **({"kind": "staff", "turn_id": None} | changes))


def test_messages_are_counted_by_who_wrote_them(reports: Reports, thread: ThreadBuilder) -> None:
    asked = thread.guest_says("When is check-in?")
    thread.reply("From 15:00.", covers=[asked])
    write(thread)
    thread.phone_says("See you soon!")
    assert figures(reports).traffic == Traffic(guests=1, desk=1, staff=2)
    assert figures(reports).traffic.desk_share == pytest.approx(1 / 3)


def test_a_day_without_messages_has_neither_share_nor_times(reports: Reports) -> None:
    found = figures(reports)
    assert found.traffic == Traffic()
    assert found.traffic.desk_share is None
    assert (found.desk_times.median_s, found.staff_times.p95_s) == (None, None)


def test_what_told_the_guest_nothing_is_no_answer(reports: Reports, thread: ThreadBuilder) -> None:
    thread.reply("lost", state=DeliveryState.FAILED)
    thread.reply("taken back", state=DeliveryState.CANCELLED)
    write(thread, state=DeliveryState.FAILED)
    assert figures(reports).traffic == Traffic()
    assert figures(reports).failed == 2


def test_what_the_phone_sends_by_itself_is_no_person_s(
    reports: Reports, thread: ThreadBuilder, database: Database
) -> None:
    thread.guest_says("We are away.", from_me=True, details={"automatic": True})
    thread.guest_says("", from_me=True, kind="reaction")
    thread.reply("From 15:00.", message_id="OURS")
    thread.guest_says("From 15:00.", from_me=True, provider_id="OURS")
    assert figures(reports).traffic == Traffic(desk=1)


def test_a_reaction_is_no_message(reports: Reports, thread: ThreadBuilder) -> None:
    thread.guest_says("", kind="reaction")
    assert figures(reports).traffic.guests == 0


def test_tests_of_staff_count_nowhere(reports: Reports, database: Database, tenants: Tenants) -> None:
    key = playground_key(1, "x")
    test = ThreadBuilder(database, NOON, phone=None, chat_key=key)
    asked = test.guest_says("This is dreadful!", channel="chat", reply_to=key)
    turn = PROMISE | {"analysis": {"sentiment": "negative"}}
    test.reply("I have asked.", covers=[asked], turn=turn, channel="chat", to_address=key)
    test.needs_a_person()
    report = reports.report("1", DAY)
    assert report.figures.traffic == Traffic()
    assert (report.figures.guests, report.figures.desk_times.count) == (0, 0)
    assert (report.figures.handovers, report.figures.channels) == ({}, {})
    assert (report.promises.made, report.complaint_count, report.now.waiting_count) == (0, 0, 0)
    assert reports.trend("1", [DAY])[0].traffic == Traffic()
    assert not reports.first_steps("1").has_guests


def test_another_business_s_day_is_not_ours(reports: Reports, database: Database, tenants: Tenants) -> None:
    other = ThreadBuilder(database, NOON, tenant_id="2")
    promise(other, analysis={"sentiment": "negative"})
    other.needs_a_person()
    other.calls("CA2")
    report = reports.report("1", DAY)
    assert report.figures.traffic == Traffic()
    assert report.figures.calls == CallFigures()
    assert (report.promises.made, report.complaint_count, report.now.waiting_count) == (0, 0, 0)
    with pytest.raises(NotFound):
        reports.figures("3", DAY)


def test_guests_are_counted_once_new_ones_and_by_language(
    reports: Reports, database: Database, tenants: Tenants
) -> None:
    known = ThreadBuilder(database, NOON - timedelta(days=3))
    new = ThreadBuilder(database, NOON)
    known.set(language="he")
    new.set(language="en")
    known.guest_says("שלום", after_s=3 * 86_400)
    for words in ("Hello", "Is anybody there?"):
        new.guest_says(words)
    found = figures(reports)
    assert (found.guests, found.new_guests) == (2, 1)
    assert found.languages == {"en": 1, "he": 1}
    assert found.channels == {"whatsapp": 3}


def test_the_desk_s_time_runs_from_the_oldest_message_it_answers_until_it_is_sent(
    reports: Reports, thread: ThreadBuilder
) -> None:
    first = thread.guest_says("Hello")
    second = thread.guest_says("when is check-in?", after_s=2)
    # Sent half a second after it was committed.
    thread.reply("From 15:00.", covers=[first, second], after_s=1.5)
    found = figures(reports)
    assert found.desk_times.count == 1
    assert found.desk_times.median_s == pytest.approx(4.0, abs=0.01)
    assert found.hours[12].median_s == pytest.approx(4.0, abs=0.01)
    assert found.hours[11].median_s is None


def test_what_is_not_sent_yet_or_is_spoken_has_no_time(reports: Reports, thread: ThreadBuilder) -> None:
    thread.reply("From 15:00.", covers=[thread.guest_says("Hi")], state=DeliveryState.COMMITTED)
    spoken = thread.guest_says("Hello?", channel="voice")
    thread.reply("Good morning.", covers=[spoken], channel="voice")
    assert figures(reports).desk_times.count == 0
    assert figures(reports).traffic.desk == 2


def test_a_chat_client_has_its_answer_when_it_is_committed(reports: Reports, thread: ThreadBuilder) -> None:
    asked = thread.guest_says("Hi", channel="chat")
    thread.reply("Hello.", covers=[asked], after_s=3, channel="chat", sent_at=None)
    assert figures(reports).desk_times.median_s == pytest.approx(3.0, abs=0.01)


def test_staff_s_time_runs_from_the_first_need_to_their_first_word(
    reports: Reports, thread: ThreadBuilder
) -> None:
    promise(thread)
    thread.at += timedelta(seconds=60)
    promise(thread, "And a dog?")
    began = thread.at
    write(thread, after_s=300)
    write(thread, "One more thing.", after_s=900)
    found = figures(reports).staff_times
    assert found.count == 1
    # The second promise came 91.4 seconds after the first.
    assert found.median_s == pytest.approx((thread.at - began).total_seconds() - 900 + 91.4, abs=0.01)


def test_what_was_left_to_staff_is_a_need_and_their_phone_answers_it(
    reports: Reports, thread: ThreadBuilder
) -> None:
    thread.guest_says("Is anybody there?", unanswered_because="human")
    thread.phone_says("Yes!", after_s=40)
    thread.guest_says("Thanks", unanswered_because="human")
    assert figures(reports).staff_times.count == 1
    assert figures(reports).staff_times.median_s == pytest.approx(40.0, abs=0.01)


def test_messages_stand_at_their_hour_of_the_business_s_clock(
    reports: Reports, thread: ThreadBuilder
) -> None:
    thread.guest_says("at noon", after_s=0)
    thread.reply("yes", after_s=3_600)
    hours = figures(reports).hours
    assert len(hours) == 24
    assert (hours[12].traffic, hours[13].traffic) == (Traffic(guests=1), Traffic(desk=1))


def test_midnight_is_the_business_s(reports: Reports, database: Database, tenants: Tenants) -> None:
    thread = ThreadBuilder(database, DAY.span.start)
    thread.guest_says("at midnight", after_s=0)
    thread.guest_says("at the next", after_s=(DAY.span.end - DAY.span.start).total_seconds())
    assert figures(reports).traffic.guests == 1
    assert figures(reports, DAY.shifted(1)).hours[0].traffic.guests == 1


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_on_which_the_clocks_change_is_whole(
    reports: Reports, database: Database, tenants: Tenants, day: date, hours: int
) -> None:
    changing = BusinessDay(day, ZoneInfo("Europe/Rome"))
    tenants.update("1", TenantSettings(name="Hill Inn", time_zone="Europe/Rome"))
    thread = ThreadBuilder(database, changing.span.start)
    for _ in range(hours):
        thread.guest_says("every hour", after_s=0)
        thread.at += timedelta(hours=1)
    assert thread.at == changing.span.end
    counts = [hour.traffic.guests for hour in figures(reports, changing).hours]
    assert counts == [1, 1, hours - 23, *[1] * 21]
    (told,) = reports.trend("1", [changing])
    assert told.traffic.guests == hours


def test_days_follow_one_another(reports: Reports, database: Database, tenants: Tenants) -> None:
    days = [DAY.shifted(number) for number in (-2, -1, 0)]
    for day, count in zip(days, (0, 1, 2), strict=True):
        for _ in range(count):
            thread = ThreadBuilder(database, day.span.start)
            thread.guest_says("Hello")
            write(thread)
    assert [one.traffic for one in reports.trend("1", days)] == [
        Traffic(),
        Traffic(guests=1, staff=1),
        Traffic(guests=2, staff=2),
    ]


def test_a_promise_tells_whom_and_what_and_is_open(reports: Reports, thread: ThreadBuilder) -> None:
    promise(thread)
    found = promises(reports)
    assert (found.made, found.open_count, found.settled_count) == (1, 1, 0)
    (one,) = found.open
    assert (one.guest.name, one.asked, one.reason) == ("Maya", "May we bring a parrot?", "not_known")
    assert (one.state, one.made_at, one.conversation_id) == (PromiseState.OPEN, thread.at, thread.id)
    assert figures(reports).handovers == {"not_known": 1}


def test_a_promise_is_kept_by_the_next_word_of_staff(reports: Reports, thread: ThreadBuilder) -> None:
    write(thread, "Before it.")
    promise(thread)
    assert promises(reports).open_count == 1
    write(thread)
    kept_at = thread.at
    thread.phone_says("And on the phone.")
    (kept,) = promises(reports).settled
    assert (kept.state, kept.settled_at) == (PromiseState.WRITTEN, kept_at)


def test_a_promise_is_kept_on_the_business_s_phone_too(
    reports: Reports, thread: ThreadBuilder, database: Database
) -> None:
    promise(thread)
    thread.guest_says("We are away.", from_me=True, details={"automatic": True})
    assert promises(reports).open_count == 1
    thread.phone_says("Yes, you may.", after_s=86_400)
    # What others are answered later is none of it.
    other = ThreadBuilder(database, thread.at)
    other.reply("From 15:00.", covers=[other.guest_says("When is check-in?")])
    (kept,) = promises(reports).settled
    assert (kept.state, kept.settled_at) == (PromiseState.WRITTEN, thread.at)


@pytest.mark.parametrize(
    ("question", "state"),
    [
        (QuestionState.ANSWERED, PromiseState.ANSWERED),
        (QuestionState.DISMISSED, PromiseState.DISMISSED),
    ],
)
def test_a_promise_is_settled_with_its_question(
    reports: Reports, thread: ThreadBuilder, database: Database, question: QuestionState, state: PromiseState
) -> None:
    promise(thread, turn_id="asked")
    ask(database, thread, "asked")
    assert promises(reports).open_count == 1
    other = ThreadBuilder(database, NOON)
    promise(other, turn_id="settled")
    ask(database, other, "settled", state=question, answered_at=other.at, answered_by="Noa")
    found = promises(reports)
    assert (found.made, found.open_count) == (2, 1)
    (one,) = found.settled
    assert (one.state, one.settled_at, one.settled_by) == (state, other.at, "Noa")


def test_what_never_reached_the_guest_promised_nothing(reports: Reports, thread: ThreadBuilder) -> None:
    asked = thread.guest_says("Hi")
    thread.reply("I have asked.", covers=[asked], turn=PROMISE, state=DeliveryState.FAILED)
    assert promises(reports).made == 0


def test_a_long_list_of_promises_is_cut_and_counted(reports: Reports, thread: ThreadBuilder) -> None:
    for number in range(LISTED + 1):
        promise(thread, f"Question {number}")
    found = promises(reports)
    assert (len(found.open), found.open[0].asked) == (LISTED, "Question 0")
    assert (found.made, found.open_count) == (LISTED + 1, LISTED + 1)


def test_complaints_are_what_sounded_displeased(reports: Reports, thread: ThreadBuilder) -> None:
    asked = [thread.guest_says("The room is cold."), thread.guest_says("Very cold!")]
    thread.reply("I am sorry.", covers=asked, turn={"analysis": {"sentiment": "negative"}})
    said_at = thread.at
    thread.reply("Hello.", covers=[thread.guest_says("Hi")], turn={"analysis": {"sentiment": "neutral"}})
    thread.reply("Hello.", covers=[thread.guest_says("Hi")], turn={"analysis": None})
    report = reports.report("1", DAY)
    assert report.complaint_count == 1
    (one,) = report.complaints
    assert (one.words, one.at, one.guest.name) == ("The room is cold.\nVery cold!", said_at, "Maya")


def test_calls_that_came_about_and_calls_that_did_not(
    reports: Reports, thread: ThreadBuilder, database: Database
) -> None:
    thread.calls("CA1", seconds=60)
    thread.calls("CA2", seconds=30)
    thread.calls("CA3", seconds=0)
    with database.write() as session:
        session.get_one(CallRow, "CA3").ended_because = "no-answer"
        session.get_one(CallRow, "CA2").ended_because = "completed"
    report = reports.report("1", DAY)
    assert report.figures.calls == CallFigures(taken=2, seconds=90, missed=1)
    (missed,) = report.missed_calls
    assert (missed.guest.name, missed.because) == ("Maya", "no-answer")


def test_the_day_s_cost_is_the_business_s_of_that_day(
    reports: Reports, database: Database, tenants: Tenants
) -> None:
    tenants.update("1", TenantSettings(name="Harbour House", daily_budget_usd=0.5))
    Accounts(database).save([an_entry(7, 150_000), an_entry(8, 100_000)])
    found = figures(reports, BusinessDay(date(2026, 11, 21), ZONE)).cost
    assert (found.spent_usd, found.share, found.model_calls, found.failed) == (0.25, 0.5, 2, 0)
    assert figures(reports).cost.spent_micros == 0


def test_without_a_budget_there_is_no_share(reports: Reports) -> None:
    assert figures(reports).cost.share is None


def test_who_waits_for_a_person_stands_by_the_longest_wait(
    reports: Reports, database: Database, tenants: Tenants
) -> None:
    for hours, name in ((1, "Tom"), (5, "Maya"), (2, "Ines")):
        thread = ThreadBuilder(database, NOON - timedelta(hours=hours), name=name)
        thread.guest_says(f"{name} needs help", after_s=0)
        thread.needs_a_person()
    ThreadBuilder(database, NOON).guest_says("All is well")
    now = reports.now("1")
    assert now.waiting_count == 3
    assert [(one.guest.name, one.words) for one in now.waiting] == [
        ("Maya", "Maya needs help"),
        ("Ines", "Ines needs help"),
        ("Tom", "Tom needs help"),
    ]
    assert now.waiting[0].since == NOON - timedelta(hours=5)


def test_who_waits_is_quoted_with_what_a_person_is_needed_for(
    reports: Reports, thread: ThreadBuilder
) -> None:
    thread.guest_says("Hello")
    thread.guest_says("Is there a helipad?")
    thread.needs_a_person()
    thread.guest_says("Thank you!")
    assert [one.words for one in reports.now("1").waiting] == ["Is there a helipad?"]


def test_open_questions_stand_newest_first(
    reports: Reports, thread: ThreadBuilder, database: Database
) -> None:
    for number in range(2):
        ask(database, thread, f"turn-{number}", text=f"Question {number}")
    ask(database, thread, "answered", state=QuestionState.ANSWERED)
    now = reports.now("1")
    assert now.question_count == 2
    assert [one.text for one in now.questions] == ["Question 1", "Question 0"]


def test_a_draft_waits_until_the_guest_has_written_more(
    reports: Reports, thread: ThreadBuilder, database: Database
) -> None:
    inbound_id = thread.guest_says("May we come early?")
    with database.write() as session:
        session.add(
            DraftRow(
                tenant_id="1",
                conversation_id=thread.id,
                inbound_id=inbound_id,
                text="Yes",
                source="knowledge",
                state="open",
                made_at=thread.at,
            )
        )
    assert reports.now("1").draft_count == 1
    thread.guest_says("", kind="reaction")
    assert reports.now("1").draft_count == 1
    thread.guest_says("At eight?")
    assert reports.now("1").draft_count == 0


def test_the_line_is_as_it_was_told_last(reports: Reports, database: Database) -> None:
    assert reports.now("1").line is None
    with database.write() as session:
        session.add(LineReportRow(tenant_id="1", is_linked=True, down_since=NOON, reported_at=NOON))
    line = reports.now("1").line
    assert line is not None
    assert (line.is_linked, line.down_since) == (True, NOON)


def test_a_new_business_is_new_until_it_knows_something_and_somebody_wrote(
    reports: Reports, database: Database
) -> None:
    assert reports.first_steps("1") == FirstSteps(False, False, False)
    with database.write() as session:
        session.add(
            DocumentRow(
                tenant_id="1", id="x", title="x", body="x", language="en", valid_from="", valid_until="",
                hours="", source="", content_hash="x", updated_at=NOON,
            )
        )  # fmt: skip
        session.add(LineReportRow(tenant_id="1", is_linked=True, reported_at=NOON))
    assert reports.first_steps("1") == FirstSteps(True, True, False)
    assert reports.first_steps("1").is_new
    ThreadBuilder(database, NOON)
    assert not reports.first_steps("1").is_new


def test_today_is_the_business_s(reports: Reports, clock: FakeClock) -> None:
    assert reports.today("1") == BusinessDay(date(2026, 11, 21), ZONE)
    clock.advance(14 * 3_600)
    assert reports.today("1").date == date(2026, 11, 22)

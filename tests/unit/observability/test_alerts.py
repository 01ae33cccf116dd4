"""Alerts are raised at their limits, stay while it is not well again, and are told once each way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.observability import metrics
from server.observability.alerts import (
    CLEAR_AFTER,
    LAG_LASTS,
    LEAST_LOOKUPS,
    NAMES,
    AlertBook,
    Change,
    Reading,
    take_readings,
)
from server.observability.figures import Figures
from tests.fakes.clock import FakeClock
from tests.support.figures import Counted

NOTHING = Figures({})


def bad(counted: Counted, now: Figures = NOTHING) -> set[tuple[str, str]]:
    readings = take_readings(counted.figures(), now, 10)
    assert {reading.name for reading in readings} <= set(NAMES)
    return {(reading.name, reading.subject) for reading in readings if reading.is_bad}


def calls(answered: int, timed_out: int, dropped: int = 0) -> Counted:
    counted = Counted()
    for outcome, count in (("answered", answered), ("timed_out", timed_out), ("dropped", dropped)):
        counted.add(metrics.MODEL_CALLS, count, provider="p", model="m", outcome=outcome)
    return counted


def lookups(hits: int, misses: int) -> Counted:
    counted = Counted().add(metrics.CACHE_LOOKUPS, hits, cache="answers", result="hit")
    return counted.add(metrics.CACHE_LOOKUPS, misses, cache="answers", result="miss")


def test_where_nothing_happens_nothing_is_wrong() -> None:
    assert bad(Counted()) == set()
    assert all(reading.is_well for reading in take_readings(NOTHING, NOTHING, 10))


def test_one_slow_reply_is_enough() -> None:
    assert bad(Counted().add(metrics.SLOW_REPLIES, channel="chat")) == {("slow_reply", "")}


@pytest.mark.parametrize(
    ("answered", "timed_out", "is_bad"), [(198, 2, True), (199, 2, False), (0, 1, False), (0, 2, True)]
)
def test_timeouts_of_models_count_from_one_in_a_hundred_on(
    answered: int, timed_out: int, is_bad: bool
) -> None:
    assert (("ai_timeouts", "") in bad(calls(answered, timed_out))) is is_bad


def test_calls_that_we_ended_ourselves_do_not_hide_timeouts() -> None:
    assert bad(calls(100, 2, dropped=900)) == {("ai_timeouts", "")}


def test_turns_that_fail_and_answers_that_are_faults_are_told_apart() -> None:
    counted = Counted().add(metrics.TURNS, 20, source="model", outcome="answered")
    counted.add(metrics.TURNS, 2, source="none", outcome="failed")
    assert bad(counted) == {("error_rate", "turns")}
    counted = Counted().add(metrics.HTTP_REQUESTS, 20, method="GET", route="/x", status="200")
    counted.add(metrics.HTTP_REQUESTS, 50, method="GET", route="/x", status="404")
    assert bad(counted) == set()
    counted.add(metrics.HTTP_REQUESTS, 4, method="GET", route="/x", status="503")
    assert bad(counted) == {("error_rate", "http")}


@pytest.mark.parametrize(
    ("hits", "misses", "is_bad"),
    [(0, LEAST_LOOKUPS - 1, False), (0, LEAST_LOOKUPS, True), (30, 270, False), (29, 271, True)],
)
def test_a_cache_that_seldom_hits_counts_only_with_enough_traffic(
    hits: int, misses: int, is_bad: bool
) -> None:
    assert (bad(lookups(hits, misses)) == {("cache_hit_rate", "answers")}) is is_bad


def test_messages_that_were_given_up_are_told() -> None:
    counted = Counted().add(metrics.OUTBOX, 38, channel="whatsapp", state="sent")
    counted.add(metrics.OUTBOX, 40, channel="whatsapp", state="delivered")
    assert bad(counted.add(metrics.OUTBOX, 2, channel="whatsapp", state="failed")) == {
        ("outbox_failures", "")
    }


def test_a_loop_that_stands_still_is_seen_in_whichever_process_it_is() -> None:
    lag = Counted().add(metrics.LOOP_LAG_SECONDS, 0.01, process="web")
    assert bad(Counted(), lag.figures()) == set()
    assert bad(Counted(), lag.add(metrics.LOOP_LAG_SECONDS, 2, process="worker").figures()) == {
        ("event_loop_lag", "")
    }


# -- the book --------------------------------------------------------------------------------------


def a_reading(state: str) -> Reading:
    return Reading("slow_reply", "", 1.0, 10.0, is_bad=state == "bad", is_well=state == "well")


def looks(book: AlertBook, clock: FakeClock, *states: str) -> list[Change]:
    """Half of the time that clearing takes lies between two looks."""
    changes = []
    for state in states:
        clock.advance(CLEAR_AFTER.total_seconds() / 2)
        changes += book.update([a_reading(state)], clock.now())
    return changes


def test_an_alert_is_told_once_however_long_it_lasts(clock: FakeClock) -> None:
    book = AlertBook()
    (raised,) = looks(book, clock, "well", "bad", "bad", "bad", "bad")
    assert raised.is_raised
    assert [alert.name for alert in book.active] == ["slow_reply"]
    assert raised.alert.since == raised.at


def test_what_must_last_is_told_only_when_it_has_lasted(clock: FakeClock) -> None:
    book, lag = AlertBook(), Reading("event_loop_lag", "", 1, 0.5, True, False, LAG_LASTS)
    half = LAG_LASTS.total_seconds() / 2
    assert book.update([lag], clock.now()) == []
    clock.advance(half)
    assert book.update([lag], clock.now()) == []
    # A break: it begins anew.
    assert book.update([], clock.now()) == []
    for told in (0, 0, 1):
        assert len(book.update([lag], clock.now())) == told
        clock.advance(half)


def test_it_is_over_once_all_has_been_well_for_long_enough(clock: FakeClock) -> None:
    book = AlertBook()
    looks(book, clock, "bad")
    assert looks(book, clock, "well", "well") == []
    (cleared,) = looks(book, clock, "well")
    assert (cleared.is_raised, book.active) == (False, [])
    assert looks(book, clock, "well", "well", "well") == []


def test_what_is_neither_bad_nor_well_changes_nothing(clock: FakeClock) -> None:
    book = AlertBook()
    assert looks(book, clock, "between", "between") == []
    looks(book, clock, "bad")
    assert looks(book, clock, *["between"] * 9) == []
    # A relapse: being well begins anew.
    assert looks(book, clock, "well", "well", "between", "well", "well") == []
    assert len(looks(book, clock, "well")) == 1


def test_what_is_not_read_any_more_is_over(clock: FakeClock) -> None:
    book = AlertBook()
    looks(book, clock, "bad")
    assert book.update([], clock.now()) == []
    assert len(book.update([], clock.now() + CLEAR_AFTER)) == 1


def test_another_process_goes_on_where_the_last_one_ended(clock: FakeClock) -> None:
    book = AlertBook()
    looks(book, clock, "bad")
    heir = AlertBook(book.active)
    assert looks(heir, clock, "bad") == []
    (cleared,) = looks(heir, clock, "well", "well", "well")
    assert not cleared.is_raised


@given(st.lists(st.sampled_from(["bad", "between", "well"]), max_size=60))
def test_raised_and_cleared_take_turns(states: list[str]) -> None:
    book, clock = AlertBook(), FakeClock()
    told = [change.is_raised for change in looks(book, clock, *states)]
    assert told == [number % 2 == 0 for number in range(len(told))]
    assert bool(book.active) == (len(told) % 2 == 1)

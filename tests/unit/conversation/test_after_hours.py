"""Out of office hours a guest who is handed over is told when the team is back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server.conversation import phrases
from server.conversation.after_hours import when_back, with_return
from server.conversation.answer_cache import AnswerCache
from server.conversation.prompts import ASK_TEAM
from server.domain.conversations import Mode, Reply, ReplySource, Turn, WaitingMessage
from server.domain.language import detect_language
from server.domain.messages import MessageKind
from server.domain.tenants import TenantSettings
from tests.fakes.clock import FakeClock
from tests.fakes.language_model import FakeModel
from tests.support.engines import an_engine, the_models
from tests.support.turns import a_turn

WEEK = "Su-Th 08:00-18:00; Fr 08:00-13:00"
# By the clock of Jerusalem half past eleven on a Saturday.
SATURDAY = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SUNDAY_NOON = datetime(2026, 11, 22, 10, tzinfo=UTC)
BACK = "The team is back tomorrow at 08:00."


def back(language: str, now: str, hours: str = WEEK, zone: str = "Asia/Jerusalem") -> str:
    """What is told at *now* of the business's clock."""
    settings = TenantSettings(name="Harbour House", time_zone=zone, office_hours=hours)
    return when_back(settings, language, datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone)))


@pytest.mark.parametrize(
    ("now", "english", "hebrew"),
    [
        ("2026-11-22 01:10", "today at 08:00", "היום ב-08:00"),
        ("2026-11-22 18:00", "tomorrow at 08:00", "מחר ב-08:00"),
        ("2026-11-27 13:00", "on Sunday at 08:00", "ביום ראשון ב-08:00"),
    ],
)
def test_the_day_is_told_as_people_call_it(now: str, english: str, hebrew: str) -> None:
    assert back("en", now) == f"The team is back {english}."
    assert back("he", now) == f"הצוות יהיה כאן שוב {hebrew}."
    assert back("fr", now) == back("en", now)
    assert detect_language(back("he", now)) == "he"


def test_saturday_has_a_name_of_its_own_in_hebrew() -> None:
    assert back("he", "2026-11-26 19:00", "Sa 20:00-22:00") == "הצוות יהיה כאן שוב בשבת ב-20:00."


def test_a_day_in_a_week_and_later_has_its_date() -> None:
    season = "2026 Dec 06-2026 Dec 31 08:00-18:00"
    assert back("en", "2026-11-22 10:00", season) == "The team is back on Sunday, 6 December, at 08:00."
    assert back("he", "2026-11-22 10:00", season) == "הצוות יהיה כאן שוב ביום ראשון, 6 בדצמבר, ב-08:00."


@pytest.mark.parametrize(
    ("zone", "now"), [("Asia/Jerusalem", "2026-03-26 20:00"), ("America/New_York", "2026-10-31 20:00")]
)
def test_the_hour_is_the_wall_clock_s_also_after_the_clock_is_changed(zone: str, now: str) -> None:
    assert back("en", now, "Mo-Su 08:00-18:00", zone) == "The team is back tomorrow at 08:00."


@pytest.mark.parametrize("hours", ["", "sun-thu 8-18", "Mo-Fr 08:00-18:00; PH off", "24/7", "off"])
def test_nothing_is_told_without_hours_or_with_none_to_be_sure_of(hours: str) -> None:
    assert back("en", "2026-11-22 01:00", hours) == ""


@pytest.mark.parametrize("now", ["2026-11-22 08:00", "2026-11-22 17:59"])
def test_nothing_is_told_while_the_team_is_there(now: str) -> None:
    assert back("en", now) == ""


def a_handover(**changes: Any) -> Reply:
    reply = Reply(text="I asked.", source=ReplySource.SHORTCUT, language="en", handover=True)
    return replace(reply, **changes)


def test_it_stands_behind_the_words_of_a_handover() -> None:
    turn = a_turn("A person, please", office_hours=WEEK)
    assert with_return(a_handover(), turn, SATURDAY).text == f"I asked. {BACK}"
    assert with_return(a_handover(), turn, SUNDAY_NOON).text == "I asked."


@pytest.mark.parametrize(
    "changes",
    [{"handover": False}, {"urgent": True}, {"reason": "threat"}, {"reason": "privacy_guest"}],
)
def test_who_is_answered_in_danger_or_better_not_told_hears_nothing_of_it(changes: dict[str, Any]) -> None:
    reply = a_handover(**changes)
    assert with_return(reply, a_turn("Hello", office_hours=WEEK), SATURDAY) == reply


@pytest.mark.parametrize("mode", [Mode.DRAFT, Mode.HUMAN])
def test_where_people_answer_nothing_is_put_into_their_mouths(mode: Mode) -> None:
    turn = replace(a_turn("Hello", office_hours=WEEK), mode=mode)
    assert with_return(a_handover(), turn, SATURDAY) == a_handover()


async def told(turn: Turn, now: datetime = SATURDAY, **engine: Any) -> str:
    return (await an_engine(clock=FakeClock(now), **engine).answer(turn)).text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Is there a helipad?", phrases.asked_team("en")),
        ("I want to talk to a person", phrases.person_coming("en")),
        ("What is the door code?", phrases.code_from_team("en")),
    ],
)
async def test_the_desk_tells_it_whatever_it_hands_over_for(words: str, said: str) -> None:
    assert await told(a_turn(words, office_hours=WEEK)) == f"{said} {BACK}"
    assert await told(a_turn(words, office_hours=WEEK), SUNDAY_NOON) == said
    assert await told(a_turn(words)) == said


async def test_a_guest_who_writes_hebrew_is_told_in_hebrew() -> None:
    said = await told(a_turn("אפשר לדבר עם נציג?", office_hours=WEEK))
    assert said == f"{phrases.person_coming('he')} הצוות יהיה כאן שוב מחר ב-08:00."


async def test_a_picture_without_words_is_told_so_too() -> None:
    turn = a_turn(office_hours=WEEK)
    picture = WaitingMessage(1, "ID1", MessageKind.IMAGE, "", None, SATURDAY, 0)
    assert await told(replace(turn, messages=[picture])) == f"{phrases.media_received('en')} {BACK}"


async def test_danger_is_answered_with_help_alone() -> None:
    said = await told(a_turn("There is a fire in my room!", office_hours=WEEK))
    assert said.endswith("The team has been alerted.")


async def test_what_is_known_is_answered_as_ever() -> None:
    turn = a_turn("When is breakfast?", office_hours=WEEK)
    assert await told(turn) == await told(turn, SUNDAY_NOON)


def test_an_answer_that_failed_again_and_again_tells_it_too() -> None:
    engine = an_engine(clock=FakeClock(SATURDAY))
    reply = engine.give_up(a_turn("Hello", office_hours=WEEK))
    assert reply.text == f"{phrases.holding_line('en')} {BACK}"


async def test_no_cache_keeps_it() -> None:
    clock = FakeClock(SATURDAY)
    model = FakeModel(ASK_TEAM, ASK_TEAM)
    engine = an_engine(the_models(model), clock=clock, cache=AnswerCache(3_600, 100))
    turn = a_turn("Is there a helipad?", office_hours=WEEK)
    assert (await engine.answer(turn)).text == f"{phrases.asked_team('en')} {BACK}"
    clock.advance((SUNDAY_NOON - SATURDAY).total_seconds())
    assert (await engine.answer(turn)).text == phrases.asked_team("en")


async def test_the_gate_lets_a_model_repeat_what_was_told() -> None:
    answer = "The team is back tomorrow at 08:00."
    engine = an_engine(the_models(FakeModel(answer)), clock=FakeClock(SATURDAY))
    before = f"{phrases.person_coming('en')} {BACK}"
    turn = a_turn("When is the team back?", desk_said=[before], office_hours=WEEK)
    assert (await engine.answer(turn)).text == answer

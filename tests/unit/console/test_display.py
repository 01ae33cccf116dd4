"""How times, durations and texts of two directions are shown."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from server.console.display import Times, bidi, duration, language_name, language_of

JERUSALEM = ZoneInfo("Asia/Jerusalem")
# 00:30 on Saturday in Jerusalem, still Friday in Greenwich.
NOW = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)


def _as_read(text: str) -> str:
    """What a browser would show of `bidi`'s answer."""
    return html.unescape(re.sub(r'<bdi dir="ltr">|</bdi>', "", bidi(text)))


def _kept_together(text: str) -> list[str]:
    return re.findall(r'<bdi dir="ltr">(.*?)</bdi>', bidi(text))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("הטלפון +972 54 123 4567.", ["+972 54 123 4567"]),
        ("חייגו 054-123-4567 עכשיו", ["054-123-4567"]),
        ("הזמנה 12-AB אושרה", ["12-AB"]),
        ("מ-15:00 עד 11:00", ["15:00", "11:00"]),
        ("כתבו אל desk@example.com, תודה", ["desk@example.com"]),
        ("ראו https://example.com/a/ כאן", ["https://example.com/a/"]),
        ("קוד השער #4821*", ["#4821*"]),
        ("ה-Wi-Fi הוא Harbour_Guest", []),
        ("Hello, room 12-AB\nשלום, חדר 12-AB", ["12-AB"]),
        ("Hello שלום 12-AB", []),
    ],
)
def test_in_lines_from_right_to_left_what_reads_the_other_way_is_kept_together(
    text: str, pieces: list[str]
) -> None:
    assert _kept_together(text) == pieces


def test_markup_in_a_text_of_either_direction_is_escaped() -> None:
    for text in ("<b>hello</b> & <script>", "שלום <b>hello</b> & https://e.com/?a=<script>&b"):
        assert "<" not in re.sub(r'<bdi dir="ltr">|</bdi>', "", bidi(text))
        assert _as_read(text) == text


@given(st.text(alphabet=st.sampled_from("אבגד abcXYZ0123+-#*@.:/<>&\"' \n")))
def test_no_text_loses_or_gains_a_character(text: str) -> None:
    assert _as_read(text) == text


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0.42, "0.4 ms"),
        (84.4, "84 ms"),
        (999.4, "999 ms"),
        (1000, "1.0 s"),
        (59_940, "59.9 s"),
        (125_000, "2 min 5 s"),
        (3600_000 * 3 + 20 * 60_000, "3 h 20 min"),
    ],
)
def test_a_duration_is_as_exact_as_people_want_it(milliseconds: float, shown: str) -> None:
    assert duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("at", "day", "brief"),
    [
        (datetime(2026, 11, 20, 22, 5, tzinfo=UTC), "Today", "00:05"),
        (datetime(2026, 11, 20, 21, 59, tzinfo=UTC), "Yesterday", "Yesterday"),
        (datetime(2026, 11, 19, 12, 0, tzinfo=UTC), "Thursday 19 November 2026", "19 Nov"),
        (datetime(2025, 11, 1, 12, 0, tzinfo=UTC), "Saturday 1 November 2025", "1 Nov 2025"),
    ],
)
def test_days_begin_at_the_business_s_midnight(at: datetime, day: str, brief: str) -> None:
    times = Times(JERUSALEM, NOW)
    assert (times.day(at), times.brief(at)) == (day, brief)


def test_times_are_the_business_s_own() -> None:
    times = Times(JERUSALEM, NOW)
    at = datetime(2026, 7, 1, 9, 5, 7, 250_000, tzinfo=UTC)
    assert times.clock(at) == "12:05"
    assert times.full(at) == "Wednesday 1 July 2026, 12:05:07"
    assert times.exact(at) == "12:05:07.250"
    assert times.exact(at.replace(microsecond=0)) == "12:05:07.000"


def test_languages_have_names_and_texts_have_languages() -> None:
    assert (language_name("he"), language_name("xx")) == ("Hebrew", "XX")
    assert (language_of("שלום"), language_of("123")) == ("he", "")


def test_days_durations_and_languages_are_told_in_the_reader_s_language() -> None:
    times = Times(JERUSALEM, NOW)
    with Flask(__name__).test_request_context(headers={"Accept-Language": "he"}):
        assert times.day(NOW) == "היום"
        assert times.day(datetime(2026, 11, 19, 12, 0, tzinfo=UTC)) == "יום חמישי, 19 בנובמבר 2026"
        assert times.brief(datetime(2025, 7, 1, 12, 0, tzinfo=UTC)) == "1 ביולי 2025"
        assert duration(125_000) == "2 דק׳ 5 שנ׳"
        assert language_name("en") == "אנגלית"

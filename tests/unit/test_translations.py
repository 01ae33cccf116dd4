"""Words in another language, and plain texts in which they run from right to left."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.phrases import Counted, Phrase
from server.domain.tenants import TenantSettings
from server.translations import Written, plain_text, said, told_in

LINK = "https://desk.example/console/conversations/7"
RLM, FSI, PDI = "\u200f", "\u2068", "\u2069"

# Among them whatever breaks lines, and marks that turn a line round.
texts = st.text(
    st.characters(codec="utf-8") | st.sampled_from("\n\r\u2028\u202e\u2066\u2068\u2069\u200eא9(a")
)


@pytest.mark.parametrize(
    ("languages", "chosen", "meant"),
    [
        (("en", "he"), "", "en"),
        (("he", "en"), "", "he"),
        (("ar", "he"), "", "he"),
        (("ar",), "", "en"),
        ((), "", "en"),
        (("en",), "he", "he"),
        (("he",), "en", "en"),
    ],
)
def test_a_team_is_told_in_the_chosen_language_or_the_first_that_there_is(
    languages: tuple[str, ...], chosen: str, meant: str
) -> None:
    assert told_in(TenantSettings(name="Hill Inn", languages=languages, team_language=chosen)) == meant


@pytest.mark.parametrize(
    ("count", "english", "hebrew"),
    [(1, "1 minute", "דקה"), (2, "2 minutes", "2 דקות"), (0, "0 minutes", "0 דקות")],
)
def test_one_and_several_have_their_forms(count: int, english: str, hebrew: str) -> None:
    minutes = Counted("{count} minute", "{count} minutes", count=count)
    assert (said(minutes, "en"), said(minutes, "he")) == (english, hebrew)


def test_days_and_moments_are_written_as_each_language_has_them() -> None:
    day = Written("EEEE d MMMM y", date(2026, 11, 21))
    moment = Written("dd MMMM, HH:mm", datetime(2026, 11, 5, 9, 3, tzinfo=UTC))
    assert (day, moment) == ("Saturday 21 November 2026", "05 November, 09:03")
    assert said(day, "en") == day
    assert said(day, "he") == "יום שבת, 21 בנובמבר 2026"
    assert said(moment, "he") == "5 בנובמבר, 09:03"


@pytest.mark.parametrize("year", [2026, 2027])
def test_days_in_english_are_those_of_the_c_locale(year: int) -> None:
    for month in range(1, 13):
        at = datetime(year, month, 2, 17, 5, tzinfo=UTC)
        assert Written("dd MMMM, HH:mm", at) == f"{at:%d %B, %H:%M}"
        assert Written("EEEE d MMMM y", at.date()) == f"{at:%A} {at.day} {at:%B %Y}"
        assert Written("d MMM HH:mm", at) == f"{at.day} {at:%b} {at:%H:%M}"


def test_a_name_among_hebrew_words_is_kept_together() -> None:
    for name in ("Maya", "מאיה", "+972501112223"):
        headline = Phrase("{guest} needs a person:", guest=name)
        assert plain_text([headline], "he") == f"{RLM}נדרש מענה אנושי: {FSI}{name}{PDI}"
    nameless = Phrase("{guest} needs a person:", guest=Phrase("A guest"))
    assert plain_text([nameless], "he") == f"{RLM}נדרש מענה אנושי: אורח"


def test_a_command_can_be_copied_as_it_stands() -> None:
    line = Phrase("To allow more: {command}", command="`frontdesk tenant set 1 daily_budget_usd DOLLARS`")
    assert "`frontdesk tenant set 1 daily_budget_usd DOLLARS`" in plain_text([line], "he")


@pytest.mark.parametrize("words", [f"look: {LINK}", "at booking.example/offer?id=7", f"(see {LINK}"])
def test_no_mark_stands_directly_after_a_guest_s_link(words: str) -> None:
    assert plain_text([words], "he") == f"{RLM}{FSI}{words} {PDI}"
    assert plain_text([Phrase("- {guest}, {when}", guest=words, when="x")], "he").count(f" {PDI}") == 1


def test_a_link_alone_gets_nothing_behind_it() -> None:
    assert plain_text([f"  {LINK}"], "he") == f"{RLM}  {LINK}"


def test_what_turns_lines_round_does_not_get_out_of_a_name() -> None:
    line = plain_text([Phrase("{guest} needs a person:", guest="M\u202eay\u2069\u2069\na")], "he")
    assert line == f"{RLM}נדרש מענה אנושי: {FSI}May a{PDI}"


@given(texts, texts)
def test_every_line_in_hebrew_begins_from_right_to_left_and_the_link_is_whole(name: str, words: str) -> None:
    headline = Phrase("{guest} needs a person:", guest=name)
    listed = Phrase("- {guest}, {when}: {words}", guest=name, when=Phrase("none"), words=words)
    lines = plain_text([headline, words, "", listed, LINK], "he").split("\n")
    assert lines[-1] == f"{RLM}{LINK}"
    assert all(line.startswith(RLM) for line in lines if line.strip())
    assert all("\n" not in line and line.splitlines() in ([], [line]) for line in lines)
    for line in lines:
        assert _open_after_each(line)[-1:] in ([], [0])
        assert set(_open_after_each(line)) <= {0, 1}


@given(texts, texts)
def test_english_is_what_the_code_says(name: str, words: str) -> None:
    headline = Phrase("{guest} needs a person:", guest=name)
    assert plain_text([headline, words, "", LINK], "en") == f"{name} needs a person:\n{words}\n\n{LINK}"


def _open_after_each(line: str) -> list[int]:
    """How many isolates are open after each character."""
    depth, depths = 0, []
    for character in line:
        direction = unicodedata.bidirectional(character)
        depth += (direction in ("FSI", "LRI", "RLI")) - (direction == "PDI")
        depths.append(depth)
    return depths

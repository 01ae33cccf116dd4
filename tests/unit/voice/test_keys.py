"""Keys are collected until the caller has pressed all of them, and 0 alone is a wish for a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.voice.keys import PAUSE_S, PERSON_PAUSE_S, Entered, Keys, KeyWish, WantsPerson, WantsRepeat, wish


def pressed(keys: str) -> tuple[Keys, list[KeyWish]]:
    """All of *keys*, a tenth of a second apart; returns what was wanted meanwhile."""
    pad = Keys()
    wishes = [pad.press(key, place / 10) for place, key in enumerate(keys)]
    return pad, [one for one in wishes if one is not None]


def test_digits_are_entered_with_the_last_key() -> None:
    pad, wishes = pressed("4729#")
    assert wishes == [Entered("4729")]
    assert pad.due_at is None


def test_digits_are_entered_after_a_pause() -> None:
    pad, wishes = pressed("4729")
    assert wishes == []
    assert pad.due_at == pytest.approx(0.3 + PAUSE_S)
    assert pad.on_time() == Entered("4729")
    assert pad.due_at is None


def test_0_alone_is_a_wish_for_a_person_and_with_others_a_digit() -> None:
    assert pressed("0")[0].due_at == PERSON_PAUSE_S
    assert pressed("0")[0].on_time() == WantsPerson()
    assert pressed("0#")[1] == [WantsPerson()]
    assert pressed("05")[0].on_time() == Entered("05")
    assert pressed("40")[0].on_time() == Entered("40")


def test_a_star_repeats_at_once_and_what_was_entered_is_void() -> None:
    pad, wishes = pressed("12*")
    assert wishes == [WantsRepeat()]
    assert pad.due_at is None
    assert pad.press("#", 1.0) is None


def test_a_last_key_without_digits_is_nothing() -> None:
    pad, wishes = pressed("#A")
    assert (wishes, pad.due_at) == ([], None)


def test_a_key_that_hangs_ends_by_itself() -> None:
    assert pressed("5" * 40)[1] == [Entered("5" * 32)]


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ("0", WantsPerson()),
        ("4729", Entered("4729")),
        ("*", WantsRepeat()),
        ("12*", WantsRepeat()),
        ("", None),
    ],
)
def test_keys_that_come_all_at_once_mean_the_same(keys: str, wanted: KeyWish | None) -> None:
    assert wish(keys) == wanted


@given(st.text(alphabet="0123456789", min_size=2, max_size=32))
def test_no_digit_is_lost(digits: str) -> None:
    pad, wishes = pressed(digits)
    last = pad.on_time()
    assert [one.digits for one in (*wishes, last) if isinstance(one, Entered)] == [digits]

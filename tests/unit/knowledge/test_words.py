"""Words in their base forms, and texts without the business's name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.words import content_words, forms, letter_runs, without_name, words


def are_alike(one: str, other: str) -> bool:
    return bool(set(forms(words(one)[0])) & set(forms(words(other)[0])))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dogs", "dog"),
        ("parking", "parked"),
        ("towels", "Towel"),
        ("הכלב", "כלבים"),
        ("שבבריכה", "בריכה"),
        ("ולחניה", "החניה"),
        ("מגבות", "מגבת"),
        ("אדם", "אדמ"),
        ("צ'ק", "צ׳ק"),
    ],
)
def test_forms_of_one_word_are_alike(one: str, other: str) -> None:
    assert are_alike(one, other)


@pytest.mark.parametrize(("one", "other"), [("dog", "door"), ("כלב", "חלב"), ("pool", "pools2")])
def test_different_words_are_not_alike(one: str, other: str) -> None:
    assert not are_alike(one, other)


def test_words_lose_case_accents_vowel_points_and_quotation_marks() -> None:
    assert words("Café, צִ'ק, חֵן, נתב״ג!") == ["cafe", "צק", "חנ", "נתבג"]


@pytest.mark.parametrize(
    "same",
    [
        ("check in", "Check-in", "checkin"),
        ("wifi", "Wi-Fi", "wi fi", "וואי פיי", "ווי-פיי"),
        ("צ'ק אין", "צ׳ק-אין", "צק אין"),
    ],
)
def test_one_thing_is_one_word_however_it_is_written(same: tuple[str, ...]) -> None:
    assert len({tuple(words(text)) for text in same}) == 1
    assert len(words(same[0])) == 1


def test_words_that_stand_in_every_question_tell_nothing() -> None:
    assert content_words("Hi, do you have a pool there?") == ["pool"]
    assert content_words("שלום, האם יש לכם בריכה?") == ["בריכה"]


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Are dogs allowed at The Harbour House?", "Are dogs allowed at ?"),
        ("harbour house's pool", "pool"),
        ("הכניסה לבית אשל", "הכניסה"),
        ("Harbour Houses", "Harbour Houses"),
        ("Harbour House", "Harbour House"),
    ],
)
def test_the_business_is_taken_out_of_texts_but_never_all_of_them(text: str, without: str) -> None:
    assert without_name(text, "בית אשל" if "אשל" in text else "The Harbour House") == without


def test_a_name_of_signs_alone_is_no_pattern() -> None:
    assert without_name("Is it open at **Stars**?", "**Stars**") == "Is it open at ?"
    assert without_name("Is it open?", "  ") == "Is it open?"


@given(st.text(max_size=80), st.text(max_size=20))
def test_any_text_can_be_read(text: str, name: str) -> None:
    assert all(forms(word) for word in content_words(text))
    assert all(len(run) == 4 for run in letter_runs(text))
    assert isinstance(without_name(text, name), str)


@given(st.text(max_size=80))
def test_reading_words_twice_changes_nothing(text: str) -> None:
    once = words(text)
    assert words(" ".join(once)) == once

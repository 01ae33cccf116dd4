"""The lexicon of concepts is well formed: the file as it stands, not as the product reads it."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import server.knowledge

FILE = Path(server.knowledge.__file__).with_name("concepts.tsv")
FEWEST_CONCEPTS = 450
LONGEST_TERM = 3
MOST_CONCEPTS_OF_A_TERM = 3

SLUG = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
HEBREW = re.compile(r"[א-ת]")
LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
WORDS_APART = re.compile(r"[\s־-]+")
# Written in Latin letters in Hebrew texts too.
LATIN_IN_HEBREW = {"b2", "hdmi", "qr", "usb", "wifi"}
# Alone, these say nothing of what is asked, or stand in nearly every document.
_SAY_LITTLE = """
a any ask available can find good great guest guests have help hotel like need nice night nights offer
open place please property question room rooms service stay thing things time want way
אורח אורחים אפשר בית דבר דברים זמן חדר חדרים חדרי טוב טובה יום יש לילה לילות מלון מקום נחמד פתוח
צריך רוצה שאלה שהות שהייה שירות
"""
SAY_LITTLE = set(_SAY_LITTLE.split())


class Concept(NamedTuple):
    """A line of the file."""

    name: str
    broader: list[str]
    english: list[str]
    hebrew: list[str]


@cache
def concepts() -> list[Concept]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert {len(row) for row in rows} == {4}
    return [
        Concept(name, broader.split(), english.split("|"), hebrew.split("|"))
        for name, broader, english, hebrew in rows
    ]


def terms(concept: Concept) -> list[str]:
    return concept.english + concept.hebrew


def test_there_are_enough_concepts() -> None:
    assert len(concepts()) >= FEWEST_CONCEPTS


def test_ids_are_unique_slugs() -> None:
    names = [concept.name for concept in concepts()]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert [name for name in names if not SLUG.fullmatch(name)] == []


def test_broader_concepts_exist_and_are_named_once() -> None:
    names = {concept.name for concept in concepts()}
    assert [concept.name for concept in concepts() if not names.issuperset(concept.broader)] == []
    assert [concept.name for concept in concepts() if len(set(concept.broader)) < len(concept.broader)] == []


def test_no_concept_is_broader_than_itself() -> None:
    broader = {concept.name: concept.broader for concept in concepts()}

    def above(name: str) -> set[str]:
        found: set[str] = set()
        left = list(broader[name])
        while left:
            one = left.pop()
            if one not in found:
                found.add(one)
                left += broader[one]
        return found

    assert [name for name in broader if name in above(name)] == []


def test_each_concept_has_terms_in_both_languages_none_empty_or_with_spare_spaces() -> None:
    assert [
        concept.name
        for concept in concepts()
        if any(not term or term != " ".join(term.split()) for term in terms(concept))
    ] == []


def test_a_concept_names_no_term_twice() -> None:
    for concept in concepts():
        counts = Counter(term.lower() for term in terms(concept))
        assert [term for term, count in counts.items() if count > 1] == [], concept.name


def test_english_terms_hold_no_hebrew() -> None:
    assert [term for concept in concepts() for term in concept.english if HEBREW.search(term)] == []


def test_hebrew_terms_hold_hebrew_and_latin_only_where_hebrew_writing_does() -> None:
    for concept in concepts():
        for term in concept.hebrew:
            assert HEBREW.search(term), (concept.name, term)
            assert set(LATIN_WORD.findall(term)) <= LATIN_IN_HEBREW, (concept.name, term)


def test_no_term_is_longer_than_three_words() -> None:
    longer = [
        term
        for concept in concepts()
        for term in terms(concept)
        if len(WORDS_APART.split(term)) > LONGEST_TERM
    ]
    assert longer == []


def test_no_term_is_a_word_that_says_little() -> None:
    assert [term for concept in concepts() for term in terms(concept) if term.lower() in SAY_LITTLE] == []


def test_no_term_belongs_to_many_concepts() -> None:
    counts = Counter(term.lower() for concept in concepts() for term in terms(concept))
    assert [term for term, count in counts.items() if count > MOST_CONCEPTS_OF_A_TERM] == []


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("check in", "check-in"),
        ("wify", "internet"),
        ("swam", "pool"),
        ("shabbos", "shabbat"),
        ("room service", "room-service"),
        ("late check out", "late-check-out"),
        ("לחנות", "parking"),
        ("ארוחת בוקר", "breakfast"),
        ("ממ״ד", "shelter"),
        ("פלטה", "hot-plate"),
        ("כלב נחייה", "service-animal"),
    ],
)
def test_what_guests_write_names_its_concept(term: str, name: str) -> None:
    assert [concept.name for concept in concepts() if term in terms(concept)] == [name]

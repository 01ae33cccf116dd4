"""The rows of synonyms: well formed, found in every form, and never of opposite meaning."""

from __future__ import annotations

from importlib.resources import files

import pytest

from server.knowledge.clauses import clauses
from server.knowledge.opposites import PAIRS, opposed
from server.knowledge.synonyms import senses

ROWS = [
    line.split("\t")
    for line in files("server.knowledge").joinpath("synonyms.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def test_every_row_has_an_id_of_its_own_and_two_columns_of_words() -> None:
    assert all(len(row) == 3 and row[0] and row[1] for row in ROWS)
    names = [row[0] for row in ROWS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("elevator", "lift"),
        ("elevators", "מעלית"),
        ("booked", "reservation"),
        ("gratuity", "tips"),
        ("towels", "מגבות"),
        ("returned", "refund"),
    ],
)
def test_words_for_the_same_share_a_sense(one: str, other: str) -> None:
    assert senses(one) & senses(other)


@pytest.mark.parametrize(
    ("one", "other"), [("coffee", "tea"), ("dog", "cat"), ("towel", "robe"), ("xyz", "lift")]
)
def test_words_for_different_things_share_none(one: str, other: str) -> None:
    assert not senses(one) & senses(other)


def test_opposites_are_senses_and_no_word_has_both() -> None:
    names = {row[0] for row in ROWS}
    words = [word for row in ROWS for column in row[1:] for word in column.split()]
    for one, other in (pair.split() for pair in PAIRS):
        assert {one, other} <= names
        assert not [word for word in words if {f"={one}", f"={other}"} <= senses(word)]


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("Classic tents have a private bathroom.", "opposite"),
        ("Classic tents have a shared bathroom.", ""),
        ("Royal tents have a private bathroom.", ""),
    ],
)
def test_a_word_where_the_source_has_its_opposite_is_a_fault(statement: str, fault: str) -> None:
    source = "Classic tents have shared bathrooms; Royal tents a private one."
    assert opposed(clauses(statement), clauses(source)) == fault

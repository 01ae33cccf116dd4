"""Lists as options."""

from __future__ import annotations

import click
import pytest

from bench.settings import CommaList


def test_names_come_in_the_order_given() -> None:
    assert CommaList(("a", "b", "c")).convert("c, a", None, None) == ["c", "a"]


def test_one_name_stands_for_all() -> None:
    assert CommaList(("sqlite", "postgres"), "both").convert("both", None, None) == ["sqlite", "postgres"]


def test_whole_numbers_are_read() -> None:
    assert CommaList(int).convert("1,20,50", None, None) == [1, 20, 50]


@pytest.mark.parametrize("text", ["1,x", "", "-1", "1.5"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="whole numbers"):
        CommaList(int).convert(text, None, None)


def test_an_unknown_name_is_answered_with_those_known() -> None:
    with pytest.raises(click.BadParameter, match="'mysql' is none of sqlite, postgres"):
        CommaList(("sqlite", "postgres")).convert("mysql", None, None)

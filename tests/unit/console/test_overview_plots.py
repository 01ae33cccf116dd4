"""Bars are as high as what they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.console.overview_plots import HEIGHT, SLOT, answers_plot, times_plot
from server.domain.reports import Traffic

counts = st.integers(0, 50_000)


def test_people_s_answers_stand_on_the_desk_s() -> None:
    plot = answers_plot([Traffic(), Traffic(desk=3, staff=1)], ["", "3 and 1"], [], "")
    assert (plot.width, plot.top) == (2 * SLOT, "4")
    nothing, both = plot.bars
    assert nothing.pieces == []
    desk, staff = both.pieces
    assert (desk.kind, desk.y, desk.height) == ("desk", 25, 75)
    assert (staff.kind, staff.y, staff.height) == ("staff", 0, 25)
    assert desk.x == staff.x > both.x
    assert both.told == "3 and 1"


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=24))
def test_no_bar_leaves_the_plot_and_none_is_too_small_to_see(answers: list[tuple[int, int]]) -> None:
    traffic = [Traffic(desk=desk, staff=staff) for desk, staff in answers]
    plot = answers_plot(traffic, [""] * len(traffic), [], "")
    for one, bar in zip(traffic, plot.bars, strict=True):
        assert len(bar.pieces) == bool(one.desk) + bool(one.staff)
        for piece in bar.pieces:
            assert piece.y >= 0
            assert piece.height >= 1
            assert piece.y + piece.height <= HEIGHT + 1


@pytest.mark.parametrize(
    ("highest", "top"), [(0, "2"), (1, "2"), (5, "6"), (11, "20"), (61, "80"), (101, "200")]
)
def test_the_top_of_a_plot_is_easily_halved(highest: int, top: str) -> None:
    assert answers_plot([Traffic(desk=highest)], [""], [], "").top == top


@pytest.mark.parametrize(
    ("longest", "top"), [(0.3, "1.0 s"), (3.2, "4.0 s"), (45, "1 min 0 s"), (90_000, "25 h 0 min")]
)
def test_the_top_of_a_plot_of_times_is_what_people_say(longest: float, top: str) -> None:
    plot = times_plot([None, longest], ["", ""], [], "")
    assert plot.top == top
    assert [len(bar.pieces) for bar in plot.bars] == [0, 1]


def test_a_plot_of_nothing_is_empty() -> None:
    assert answers_plot([Traffic(guests=9)], [""], [], "").is_empty
    assert times_plot([None], [""], [], "").is_empty

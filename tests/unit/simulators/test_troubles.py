"""A trouble meets those that it is of, from then on, and no others."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from simulators.troubles import Trouble, Troubles


def test_it_meets_whoever_is_known_by_one_of_its_words() -> None:
    troubles = Troubles()
    troubles.add(Trouble(of=("zqone", "line 7."), kind="hang"))
    assert troubles.met_by("a stream", ["line 7."], ("hang",)) is not None
    assert troubles.met_by("a request", ["zqone: Is there parking?"], ("hang",)) is not None
    assert troubles.met_by("another", ["line 77.", "zqtwo: Is there parking?"], ("hang",)) is None
    assert troubles.met_by("nobody yet", [], ("hang",)) is None


def test_only_the_kinds_that_can_happen_at_this_moment_are_met() -> None:
    troubles = Troubles()
    troubles.add(Trouble(of=("zqone",), kind="slow"))
    assert troubles.met_by("a request", ["zqone"], ("hang", "cut")) is None
    found = troubles.met_by("a request", ["zqone"], ("slow",))
    assert found is not None
    assert found.slow_s == 1.0


def test_one_that_is_met_once_leaves_those_after_it_alone_and_stays_with_whom_it_met() -> None:
    troubles = Troubles()
    troubles.add(Trouble(of=("zqone",), kind="cut", times=1))
    first, second = object(), object()
    assert troubles.met_by(first, ["zqone"], ("cut",)) is not None
    assert troubles.met_by(second, ["zqone"], ("cut",)) is None
    assert troubles.met_by(first, ["zqone"], ("cut",)) is not None


def test_a_trouble_of_nobody_is_refused() -> None:
    with pytest.raises(ValidationError):
        Trouble(of=(), kind="hang")

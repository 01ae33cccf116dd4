"""At random moments of a running desk, a takeover is the end of what the desk says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.races import Met, run_races
from server.store.session import Database


@pytest.mark.parametrize("seed", [7])
def test_a_hundred_takeovers_and_no_word_of_the_desk_after_them(
    database: Database, tmp_path: Path, seed: int
) -> None:
    verdict = run_races(database, tmp_path, races=100, seed=seed)
    assert verdict.races == sum(verdict.met.values()) == 100
    assert (verdict.after, verdict.staff_lost) == (0, 0)
    # They met the desk at all of its work: it might have gone wrong.
    assert all(verdict.met[met] > 0 for met in Met)

"""`frontdesk bench voice --faults`, a slice: what a call needs breaks, and its caller is helped."""

from __future__ import annotations

from bench.voice_faults import LONGEST_SILENCE_S, run
from bench.voice_faults_plan import Cell, Point, Who, plans

SLICE = {
    Cell(Who.SPEECH, "unavailable", Point.GREETING),
    Cell(Who.SPEECH, "hang", Point.SPEAKING),
    Cell(Who.MODEL, "cut", Point.SPEAKING),
    Cell(Who.VOICE, "hang", Point.SPEAKING),
    Cell(Who.VOICE, "unavailable", Point.INTERRUPTING),
}


def test_callers_are_helped_without_dead_air_whichever_provider_breaks() -> None:
    wanted = [plan for plan in plans(7, (Who.SPEECH, Who.MODEL, Who.VOICE)) if plan.cell in SLICE]
    met = run(7, wanted)
    assert {one.plan.cell for one in met} == SLICE
    for one in met:
        assert one.is_struck, f"{one.plan.cell}\n{one.events}"
        assert one.ended, f"{one.plan.cell}\n{one.events}"
        assert not one.stuck
        assert one.silence_s <= LONGEST_SILENCE_S, f"{one.plan.cell}\n{one.events}"
        assert one.internals == []

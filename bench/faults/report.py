"""What all rounds have shown, as figures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from bench.faults.round import Result
from bench.faults.watch import Phase
from bench.figures import Figure

BENCH = "faults"
LEAST_SHARE = 0.05


def figures(setting: str, results: Sequence[Result]) -> list[Figure]:
    """Messages and what became of them, recovery, kills by phase and by victim, and the trouble made."""
    return [
        *(Figure(BENCH, setting, metric, value, unit, budget=budget) for metric, value, unit, budget in [
            *_messages(results),
            *_recovery(results),
            *_kills(results),
            *_trouble(results),
        ])
    ]  # fmt: skip


_Entry = tuple[str, float, str, float | None]


def _messages(results: Sequence[Result]) -> Iterator[_Entry]:
    verdicts = [result.verdict for result in results]
    yield "messages", sum(verdict.messages for verdict in verdicts), "messages", None
    yield "covered once", sum(verdict.covered_once for verdict in verdicts), "messages", None
    for metric, marks in (
        ("lost", [verdict.lost for verdict in verdicts]),
        ("doubled by id", [verdict.doubled_by_id for verdict in verdicts]),
        ("doubled by text", [verdict.doubled_by_text for verdict in verdicts]),
        ("out of order", [verdict.out_of_order for verdict in verdicts]),
        ("misfiled", [verdict.misfiled for verdict in verdicts]),
    ):
        yield metric, sum(map(len, marks)), "messages", 0
    swapped = sum(len(verdict.swapped_in_a_reply) for verdict in verdicts)
    yield "swapped within one reply", swapped, "messages", None
    yield "answered without naming it", sum(len(verdict.not_named) for verdict in verdicts), "messages", None
    yield "resent under one id", sum(verdict.resent for verdict in verdicts), "messages", None


def _recovery(results: Sequence[Result]) -> Iterator[_Entry]:
    recoveries = [time for result in results for time in result.recoveries_s]
    progress = [time for result in results for time in result.progress_s]
    for metric, times in (("recovery", sorted(recoveries)), ("held messages go on", sorted(progress))):
        if times:
            yield f"{metric} p50", _quantile(times, 0.5), "s", None
            yield f"{metric} p99", _quantile(times, 0.99), "s", None
    yield "calm after", max((result.calm_after_s for result in results), default=0), "s", None


def _kills(results: Sequence[Result]) -> Iterator[_Entry]:
    kills = [kill for result in results for kill in result.kills]
    yield "kills", len(kills), "kills", None
    phases = Counter(kill.phase for kill in kills)
    for phase in Phase:
        share = phases[phase] / len(kills) if kills else 0.0
        yield f"kills in {phase}", phases[phase], "kills", None
        yield f"share in {phase}", round(100 * share, 1), "%", None
    yield "kills that met no message", phases[None], "kills", None
    scarce = sum(phases[phase] < LEAST_SHARE * len(kills) for phase in Phase)
    yield f"phases under {LEAST_SHARE:.0%}", scarce, "phases", 0
    for victim, times in sorted(Counter(kill.victim for kill in kills).items()):
        yield f"kills of {victim}", times, "kills", None


def _trouble(results: Sequence[Result]) -> Iterator[_Entry]:
    made: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for result in results:
        made.update(result.troubles)
        ended.update(result.ended_by_themselves)
    for kind, times in sorted(made.items()):
        yield f"fault: {kind}", times, "times", None
    for name, times in sorted(ended.items()):
        yield f"ended by itself: {name}", times, "times", None


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

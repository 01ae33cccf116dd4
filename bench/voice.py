"""``frontdesk bench voice``: our overhead on the phone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import click

from bench.figures import Figure, Output, output_options
from bench.samples import PERCENTILES, percentile, percentiles
from bench.settings import database_option, list_option
from bench.usage import UsageMeter
from bench.voice_callers import TURN_S, CallHeard, Heard, call_all
from bench.voice_desk import PACE, PIECE_GAP_MS, Simulated, VoiceDesk, running_desk, simulated_providers
from bench.voice_faults import under_faults
from bench.voice_floor import CONFIRMING_FRAMES, Floor, start_floor
from bench.voice_leaks import after_calls
from bench.voice_script import scripts
from bench.voice_times import Answered, BargeIn, Confirmed, after_frames, barge_ins, by_detectors
from simulators.lab import LabError

# At each number of calls at least so many turns are measured.
LEAST_TURNS = 12
# How stable the words are before they are final; from 0.8 on the desk begins an answer early.
SURE, UNSURE = 0.9, 0.3
# Of what goes wrong when, and of what is asked.
SEED = 7
# By the number of calls and the percentile.
BEYOND_BUDGETS_MS = {(1, 50): 10.0, (50, 95): 40.0}
CLEAR_P95_BUDGET_MS = 20.0

_EPILOG = """\b
Examples:
  frontdesk bench voice --calls 1,20,50,100
  frontdesk bench voice --calls 50 --seconds 60 --json
  frontdesk bench voice --calls 1 --early
  frontdesk bench voice --faults
  frontdesk bench voice --leaks --calls 500
"""


@click.command("voice", epilog=_EPILOG)
@list_option("--calls", of=int, default="1,20,50,100", tells="Numbers of calls at once.")
@click.option(
    "--seconds",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help=f"How long each call talks, {TURN_S:g} s a turn; few calls talk until {LEAST_TURNS} turns are had.",
)
@database_option(default="sqlite")
@click.option(
    "--early",
    is_flag=True,
    help="The recogniser is sure of the words before they are final, so that answers are begun early: "
    "the time beyond the providers' may be below 0, and has no budget.",
)
@click.option("--faults", is_flag=True, help="Instead: whatever a call needs breaks, at each of its points.")
@click.option("--leaks", is_flag=True, help="Instead: what is held after the most of --calls.")
@output_options
def command(
    calls: list[int],
    seconds: int,
    databases: list[str],
    early: bool,
    faults: bool,
    leaks: bool,
    as_json: bool,
    strict: bool,
) -> None:
    """Our overhead on the phone: from the first quiet frame to the first audio, less the providers' time.

    Simulated callers talk with the real web and realtime processes. The recogniser is final 100 ms after the
    first quiet frame, the model takes 300 ms to its first token and 15 a token, the voice 150 ms to its first
    audio. The floor is a bare handler over the same providers in the same run. See docs/bench.md.
    """
    if not all(calls):
        raise click.BadParameter("a run needs at least one call", param_hint="--calls")
    output = Output(as_json=as_json, is_strict=strict)
    if faults:
        output.add(*under_faults(SEED))
    if leaks:
        output.add(*after_calls(max(calls), SEED))
    if not (faults or leaks):
        _measure_all(output, calls, seconds, databases, is_early=early)
    output.close()


def _measure_all(
    output: Output, calls: Sequence[int], seconds: int, databases: Sequence[str], *, is_early: bool
) -> None:
    """Each number of calls on each database, to the desk and to the floor."""
    with simulated_providers() as providers, start_floor(providers.places) as floor:
        for database in databases:
            with running_desk(database, providers) as desk:
                # Connections are opened and modules loaded: not counted.
                measure(desk, floor, providers, Setting(database, 1, seconds=0, least_turns=1))
                for count in calls:
                    setting = Setting(database, count, seconds, is_early=is_early)
                    output.add(*measure(desk, floor, providers, setting))


@dataclass(frozen=True, slots=True)
class Setting:
    """One run."""

    database: str
    calls: int
    seconds: int
    is_early: bool = False
    least_turns: int = LEAST_TURNS

    @property
    def turns(self) -> int:
        """Of each call."""
        return max(round(self.seconds / TURN_S), -(-self.least_turns // self.calls), 1)

    def __str__(self) -> str:
        words = ", answers begun early" if self.is_early else ""
        plural = "s" if self.calls > 1 else ""
        return f"{self.database}, {self.calls} call{plural} of {self.turns} turns{words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What callers heard of the desk, or of the floor."""

    heard: Heard
    answered: Sequence[Answered]
    barge_ins: Sequence[BargeIn]

    @property
    def calls(self) -> Sequence[CallHeard]:
        """All calls."""
        return self.heard.calls

    @property
    def questions(self) -> int:
        """How many were asked."""
        return sum(len(call.asked) for call in self.calls)

    @property
    def beyond_ms(self) -> list[float]:
        """From the first quiet frame to the first audio, less the providers' own time, of each answer."""
        return [one.beyond_ms(PACE) for one in self.answered]

    @property
    def clear_ms(self) -> list[float]:
        """From the confirming frame to ``clear``."""
        return [one.clear_ms for one in self.barge_ins if one.clear_ms is not None]

    @property
    def jitter_ms(self) -> list[float]:
        """How far pieces of a sentence came from the pace at which the voice makes them."""
        return [abs(gap - PIECE_GAP_MS) for one in self.answered for gap in one.asked.gaps_ms]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One number of calls, to the desk and to the floor.

    ``steps_ms`` has the moments that the desk's turns have stored, by mark.
    """

    setting: Setting
    desk: Side
    floor: Side
    steps_ms: Mapping[str, Mapping[str, float]]

    def figures(self) -> Iterator[Figure]:
        """All figures of the run."""
        yield from self._beyond()
        yield from self._decided()
        yield from self._barge_ins()
        yield from self._both("jitter of audio within a sentence", lambda side: side.jitter_ms)
        yield from self._troubles()
        yield from self._callers()

    def _beyond(self) -> Iterator[Figure]:
        for share in PERCENTILES:
            budget = None if self.setting.is_early else BEYOND_BUDGETS_MS.get((self.setting.calls, share))
            value = percentile(self.desk.beyond_ms, share)
            yield self._figure(f"first audio beyond the providers p{share}", value, "ms", budget=budget)
        yield from self._both("the same, beside a bare handler", lambda side: side.beyond_ms)
        for step in self.desk.answered[0].steps(PACE):
            yield from self._both(f"of it: {step}", partial(_step, step))

    def _decided(self) -> Iterator[Figure]:
        """From when the turn was decided, by the desk's own stopwatch."""
        told = [(one, self.steps_ms.get(one.mark, {})) for one in self.desk.answered]
        decided = [
            steps["first_audio"] - steps["decided"] - one.model_ms - one.voice_ms
            for one, steps in told
            if "decided" in steps and "first_audio" in steps
        ]
        for name, value in percentiles(decided) if decided else ():
            yield self._figure(f"from the decided turn, by the desk's own stopwatch {name}", value, "ms")

    def _barge_ins(self) -> Iterator[Figure]:
        for share in PERCENTILES if self.desk.clear_ms else ():
            budget = CLEAR_P95_BUDGET_MS if share == 95 else None
            value = percentile(self.desk.clear_ms, share)
            yield self._figure(f"clear after the voice was confirmed p{share}", value, "ms", budget=budget)
        yield from self._both("the same, beside a bare handler: clear", lambda side: side.clear_ms)
        confirmed = [one.confirm_ms for one in self.desk.barge_ins]
        for name, value in percentiles(confirmed) if confirmed else ():
            yield self._figure(f"caller's voice to its confirmation {name}", value, "ms")
        yield self._figure("barge-ins", len(self.desk.barge_ins), "times")
        deaf = sum(one.clear_ms is None for one in self.desk.barge_ins)
        yield self._figure("barge-ins without a clear", deaf, "times", budget=0)

    def _troubles(self) -> Iterator[Figure]:
        calls = self.desk.calls
        yield self._figure("turns measured", len(self.desk.answered), "turns")
        yield self._figure("turns measured of the floor", len(self.floor.answered), "turns")
        unheard = sum(one.heard_at is None for call in calls for one in call.asked)
        others = self.desk.questions - len(self.desk.answered) - unheard
        yield self._figure("turns that something else answered first", others, "turns")
        starved = sum(one.starved for call in calls for one in call.asked)
        yield self._figure("sentences that ran dry", starved, "times")
        troubles = {
            "questions that nothing answered": unheard,
            "silences longer than 2 s": sum(call.dead_air for call in calls),
            "calls that lost their media stream": sum(call.streams != 1 for call in calls),
            "calls stuck": sum(bool(call.stuck) for call in calls),
            "messages that Twilio does not take": sum(call.violations for call in calls),
            "errors in Twilio's debugger": sum(len(call.notices) for call in calls),
        }
        for name, count in troubles.items():
            yield self._figure(name, count, "times", budget=0)

    def _callers(self) -> Iterator[Figure]:
        """What the callers' process itself was late: it blurs all others."""
        heard = self.desk.heard
        late = {"p50": heard.late_p50_ms, "p99": heard.late_p99_ms, "max": heard.late_max_ms}
        for name, value in late.items():
            yield self._figure(f"callers' own frames late {name}", value, "ms")

    def _both(self, metric: str, values_of: Callable[[Side], Sequence[float]]) -> Iterator[Figure]:
        """Percentiles of the desk beside the floor's."""
        values, floors = values_of(self.desk), values_of(self.floor)
        for share in PERCENTILES if values else ():
            floor = percentile(floors, share) if floors else None
            yield self._figure(f"{metric} p{share}", percentile(values, share), "ms", floor=floor)

    def _figure(
        self, metric: str, value: float, unit: str, *, floor: float | None = None, budget: float | None = None
    ) -> Figure:
        return Figure("voice", str(self.setting), metric, value, unit, floor, budget)


def _step(name: str, side: Side) -> list[float]:
    return [one.steps(PACE)[name] for one in side.answered]


def measure(desk: VoiceDesk, floor: Floor, providers: Simulated, setting: Setting) -> Sequence[Figure]:
    """Call the floor, then the desk, so many at once each.

    Raises:
        LabError: no answer of the desk's could be measured.
    """
    told = scripts(setting.calls, setting.turns, seed=secrets.randbits(32))
    lines = [line for script in told for line in script]
    stability = SURE if setting.is_early else UNSURE
    wish = desk.wish(told)
    providers.learn(lines, stability)
    with UsageMeter({"floor": floor.pid}) as bare:
        heard = call_all(replace(wish, routes=floor.routes), f"floor, {setting}")
    floor_side = _side(heard, providers, after_frames(CONFIRMING_FRAMES))
    providers.learn(lines, stability)
    with UsageMeter(desk.desk.processes()) as meter:
        heard = call_all(wish, f"voice, {setting}")
    desk_side = _side(heard, providers, by_detectors(setting.calls))
    if not desk_side.answered:
        stuck = next((call.stuck for call in heard.calls if call.stuck), "")
        raise LabError(f"no question was answered by model and voice first of all. {stuck}".strip())
    run = Run(setting=setting, desk=desk_side, floor=floor_side, steps_ms=desk.steps_ms())
    return [*run.figures(), *_usage(setting, meter), *_usage(setting, bare)]


def _side(heard: Heard, providers: Simulated, confirmed: Confirmed) -> Side:
    recorded = providers.recorded()
    found = [recorded.answered(one, PACE) for call in heard.calls for one in call.asked]
    answered = [one for one in found if one is not None]
    return Side(heard=heard, answered=answered, barge_ins=barge_ins(heard.calls, confirmed))


def _usage(setting: Setting, meter: UsageMeter) -> Iterator[Figure]:
    for name, usage in meter.usage.items():
        yield Figure("voice", str(setting), f"{name}: processor", meter.cores(name), "cores")
        yield Figure("voice", str(setting), f"{name}: memory at most", usage.peak_mb, "MB")

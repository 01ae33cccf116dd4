"""Places calls and talks with whoever answers: ``python -m bench.voice_callers``.

A process of its own. Reads a `Wish` as JSON from standard input and writes what was `Heard` to standard
output. Each caller asks a question, hears the answer out or breaks into it with the next question, in turn,
and hangs up at the end. Times are seconds since 1970, so that they can be held against what the simulated
providers record on the same machine.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

from bench.apart import run_apart
from simulators.google_tts_audio import speech
from simulators.twilio import figures
from simulators.twilio.account import Account, Number
from simulators.twilio.call import Call
from simulators.twilio.caller import Caller, CallerWaitedInVain
from simulators.twilio.mulaw import FRAME_S
from simulators.twilio.network import PhoneNetwork, phone_network
from simulators.twilio.stopwatch import keep_time

ORIGIN, STREAM_ORIGIN = "https://desk.example", "wss://desk.example"
# Heard of an answer before it is broken into.
CUT_AFTER_S = 0.5
DEAD_AIR_S = 2.0
# A call begins so long after the one before: callers are not in step with one another.
GAP_S = 0.11
# A question, its answer heard out every second time, and what the providers take.
TURN_S = 6.0
_GREETING_S = 5.0
_MARGIN_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to do. ``scripts`` has the questions of each call; the routes lead to who answers."""

    account_sid: str
    auth_token: str
    number: str
    routes: Mapping[str, str]
    scripts: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question of a caller.

    ``began_at``: its first frame was due; ``quiet_at``: the first quiet frame after it left; ``heard_at``:
    the first loud audio after that was here, None if none came. ``is_cut_in``: it was said over the answer
    before. ``gaps_ms`` are the times between the pieces of the answer's first sentence as they came;
    ``starved`` counts those that came when all before had been played.
    """

    text: str
    is_cut_in: bool
    began_at: float
    quiet_at: float
    heard_at: float | None
    gaps_ms: Sequence[float] = ()
    starved: int = 0


@dataclass(slots=True, kw_only=True)
class CallHeard:
    """What came of one call.

    ``first_frame_at``: the first of its first media stream was due. ``stuck``: what the caller waited for in
    vain.
    """

    asked: list[Asked] = field(default_factory=list)
    clears: list[float] = field(default_factory=list)
    first_frame_at: float | None = None
    dead_air: int = 0
    violations: int = 0
    streams: int = 1
    notices: list[str] = field(default_factory=list)
    stuck: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All calls, in the order in which they were placed, and how late the callers' own frames left."""

    calls: Sequence[CallHeard]
    late_p50_ms: float
    late_p99_ms: float
    late_max_ms: float


def call_all(wish: Wish, label: str) -> Heard:
    """Place the calls from a process of its own, with a bar on standard error.

    Raises:
        RuntimeError: the process failed; what it said stands on standard error.
    """
    turns = max(len(script) for script in wish.scripts)
    seconds = _GREETING_S + turns * TURN_S + len(wish.scripts) * GAP_S
    found = run_apart("bench.voice_callers", asdict(wish), seconds, seconds + _MARGIN_S, label)
    calls = [
        CallHeard(**{**call, "asked": [Asked(**one) for one in call["asked"]]}) for call in found.pop("calls")
    ]
    return Heard(calls=calls, **found)


async def call_here(wish: Wish) -> Heard:
    """Place the calls from this process."""
    number = Number(
        voice_url=f"{ORIGIN}/voice/incoming",
        status_callback=f"{ORIGIN}/voice/status",
    )
    account = Account(
        wish.auth_token, account_sid=wish.account_sid, numbers={wish.number: number}, seed=int(time.time())
    )
    audio = {text: speech(text) for script in wish.scripts for text in script}
    async with phone_network(account, wish.routes) as network:
        talks = [
            _Talk(network, wish.number, place, [(text, audio[text]) for text in script])
            for place, script in enumerate(wish.scripts)
        ]
        heard = await asyncio.gather(*(talk.run() for talk in talks))
        late = figures.lateness(network.calls.values())
    return Heard(calls=heard, late_p50_ms=late.p50_ms, late_p99_ms=late.p99_ms, late_max_ms=late.max_ms)


class _Talk:
    """One call, from dialling to hanging up."""

    def __init__(
        self, network: PhoneNetwork, number: str, place: int, lines: Sequence[tuple[str, bytes]]
    ) -> None:
        self._network = network
        self._number = number
        self._place = place
        self._lines = lines
        self._heard = CallHeard()
        # Of each question: whether it cut in, its times on the call's stopwatch, when its quiet frame left.
        self._said: list[tuple[str, bool, float, float, float]] = []
        self._firsts: list[float] = []

    async def run(self) -> CallHeard:
        """Talk to the end, or until the other side leaves the caller waiting."""
        await asyncio.sleep(self._place * GAP_S)
        caller = self._network.dial(self._number, from_=f"+97250{self._place:07}")
        try:
            await self._talk(caller)
            await caller.hang_up()
        except CallerWaitedInVain as failure:
            self._heard.stuck = str(failure)
            caller.call.hang_up("the caller")
        _look_back(self._heard, caller.call, self._said, self._firsts)
        return self._heard

    async def _talk(self, caller: Caller) -> None:
        await caller.connected()
        await caller.listens()
        is_cut_in = False
        for number, (text, audio) in enumerate(self._lines):
            utterance = await caller.say(audio, text)
            started_at, quiet_at = utterance.started_at, utterance.quiet_at
            assert started_at is not None and quiet_at is not None  # noqa: S101, PT018 - it has been said
            self._remember(caller.call, text, is_cut_in, started_at, quiet_at)
            is_cut_in = number % 2 == 0 and number + 1 < len(self._lines)
            if is_cut_in:
                await caller.hears_for(CUT_AFTER_S, since=quiet_at)
            else:
                await caller.listens(since=quiet_at)

    def _remember(self, call: Call, text: str, is_cut_in: bool, started_at: float, quiet_at: float) -> None:
        late = call.line.lateness_s
        began_at = _first_of(quiet_at, len(late))
        place = min(round((quiet_at - began_at) / FRAME_S), len(late) - 1)
        self._said.append((text, is_cut_in, started_at, quiet_at, quiet_at + late[place]))
        if call.streams and call.streams[0].closed_at is None:
            self._firsts.append(_first_of(quiet_at, call.streams[0].frames_sent))


def _first_of(latest_at: float, frames: int) -> float:
    """When the first of *frames* was due, if the last is the one of *latest_at*."""
    return latest_at - (frames - 1) * FRAME_S


def _look_back(
    heard: CallHeard,
    call: Call,
    said: Sequence[tuple[str, bool, float, float, float]],
    firsts: Iterable[float],
) -> None:
    """Fill *heard* with what the call has recorded."""
    since_1970 = call.stopwatch.zero + time.time() - time.monotonic()
    for text, is_cut_in, started_at, quiet_at, left_at in said:
        first = figures.first_sound_after(call, quiet_at)
        gaps, starved = _pieces(call, quiet_at)
        heard.asked.append(
            Asked(
                text=text,
                is_cut_in=is_cut_in,
                began_at=since_1970 + started_at,
                quiet_at=since_1970 + left_at,
                heard_at=None if first is None else since_1970 + first.at,
                gaps_ms=gaps,
                starved=starved,
            )
        )
    heard.clears = [since_1970 + clear.at for clear in figures.clears(call)]
    # A frame that left between the quiet one and our waking makes it too early, never too late.
    heard.first_frame_at = max((since_1970 + first for first in firsts), default=None)
    heard.dead_air = len(figures.dead_air(call, DEAD_AIR_S))
    heard.violations = sum(len(stream.violations) for stream in call.streams)
    heard.streams = len(call.streams)
    heard.notices = [str(notice) for notice in call.notices]


def _pieces(call: Call, since: float) -> tuple[list[float], int]:
    """Times between pieces of the first sentence that came after *since*, in ms; how often it ran dry."""
    pieces = [piece for piece in call.playback.arrivals if piece.at >= since]
    gaps: list[float] = []
    starved = 0
    for one, other in itertools.pairwise(pieces):
        if one.size < pieces[0].size:
            # The last piece of a sentence.
            break
        gaps.append((other.at - one.at) * 1000)
        starved += other.at > one.plays_at + one.size / 8000
    return gaps, starved


def main() -> None:
    """Read a wish from standard input, place its calls, write what was heard to standard output."""
    wish: dict[str, Any] = json.load(sys.stdin)
    keep_time()
    json.dump(asdict(uvloop.run(call_here(Wish(**wish)))), sys.stdout)


if __name__ == "__main__":
    main()

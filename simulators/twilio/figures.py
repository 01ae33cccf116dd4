"""What a call sounded like: both channels, silences, how soon the server spoke and fell silent."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulators.twilio import mulaw
from simulators.twilio.call import Call
from simulators.twilio.playback import Arrival
from simulators.twilio.spells import Spell, gaps

# Speech has pauses of its own; what sounds again after less than this has not stopped.
_HOLD_S = 0.1


class ClearFigure(NamedTuple):
    """A ``clear`` of the server: when it came, and when the caller heard nothing any more."""

    at: float
    silent_at: float


class Lateness(NamedTuple):
    """How late the simulator itself sent its frames."""

    frames: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def channels(call: Call) -> tuple[bytes, bytes]:
    """Mu-law of the caller and of what the caller heard, both from the first ring to now or the end."""
    until = call.stopwatch.now() if call.ended_at is None else call.ended_at
    return call.line.microphone.render(until), call.playback.render(until)


def save(call: Call, folder: Path) -> None:
    """Write ``caller.mulaw``, ``heard.mulaw``, ``call.wav`` (caller left, heard right) and ``events.txt``."""
    caller, heard = channels(call)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "caller.mulaw").write_bytes(caller)
    (folder / "heard.mulaw").write_bytes(heard)
    (folder / "call.wav").write_bytes(mulaw.wav(caller, heard))
    (folder / "events.txt").write_text(transcript(call) + "\n", encoding="utf-8")


def transcript(call: Call) -> str:
    """All events, one a line."""
    return "\n".join(str(event) for event in call.events)


def dead_air(call: Call, longer_than_s: float) -> list[Spell]:
    """Stretches of the answered call in which neither side made a sound."""
    if call.answered_at is None:
        return []
    until = call.stopwatch.now() if call.ended_at is None else call.ended_at
    return gaps([*call.playback.loud, *call.line.microphone.loud], call.answered_at, until, longer_than_s)


def first_sound_after(call: Call, moment: float) -> Arrival | None:
    """The first loud audio that arrived at or after *moment*; ``at`` is when it was here."""
    return next((one for one in call.playback.arrivals if one.is_loud and one.at >= moment), None)


def clears(call: Call) -> list[ClearFigure]:
    """All clears. ``silent_at`` is later than ``at`` when audio of before went on coming."""
    loud = call.playback.loud
    return [ClearFigure(at, loud.quiet_from(at, _HOLD_S)) for at in call.playback.clears]


def lateness(calls: Iterable[Call]) -> Lateness:
    """Of all frames of *calls* together.

    Raises:
        ValueError: no frame was sent.
    """
    late = np.concatenate([np.frombuffer(call.line.lateness_s) for call in calls if call.line.lateness_s])
    p50, p99, most = np.percentile(late, [50, 99, 100]) * 1000
    return Lateness(len(late), float(p50), float(p99), float(most))

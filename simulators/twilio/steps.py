"""The steps of a scripted call, as they are written on the command line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from simulators.twilio import mulaw
from simulators.twilio.caller import Caller

STEPS = {
    "connected": "wait for the media stream",
    "listen": "hear the other out",
    "say:TEXT": "say something, as sounds that no recogniser understands but every voice detector hears",
    "play:FILE": "say what a WAV file holds, one channel at 8 kHz",
    "interrupt:SECONDS:TEXT": "speak over the other once they have been heard for so long",
    "press:KEYS": "press keys, such as press:12#",
    "cough": "a burst of noise that is no word",
    "noise:LEVEL": "noise in the room from now on, 0 to 1",
    "wait:SECONDS": "say nothing",
    "drop": "break the media socket without a word",
    "end": "wait for the other to end the call",
}

Step = Callable[[Caller], Awaitable[object]]


class WrongStep(ValueError):
    """A step that there is not; the message says which there are."""


def read_steps(written: Sequence[str]) -> list[Step]:
    """What to do, one after another.

    Raises:
        WrongStep: one of them cannot be understood.
    """
    return [_read(one) for one in written]


def _read(written: str) -> Step:
    name, _, rest = written.partition(":")
    try:
        return _STEPS[name](rest)
    except (KeyError, ValueError, OSError) as error:
        known = ", ".join(STEPS)
        raise WrongStep(f"cannot do {written!r} ({error}); the steps are {known}") from None


def _say(text: str) -> Step:
    return lambda caller: caller.say(text)


def _play(path: str) -> Step:
    audio = mulaw.from_wav(Path(path).read_bytes())
    return lambda caller: caller.say(audio)


def _interrupt(rest: str) -> Step:
    seconds, _, text = rest.partition(":")
    after_s = float(seconds)
    return lambda caller: caller.interrupts(after_s, text)


def _noise(level: str) -> Step:
    loudness = float(level)

    async def make(caller: Caller) -> None:
        caller.noise(loudness)

    return make


def _wait(seconds: str) -> Step:
    pause_s = float(seconds)
    return lambda caller: caller.wait(pause_s)


async def _drop(caller: Caller) -> None:
    caller.drop_stream()


_STEPS: dict[str, Callable[[str], Step]] = {
    "connected": lambda _: lambda caller: caller.connected(),
    "listen": lambda _: lambda caller: caller.listens(),
    "say": _say,
    "play": _play,
    "interrupt": _interrupt,
    "press": lambda keys: lambda caller: caller.press(keys),
    "cough": lambda _: lambda caller: caller.cough(),
    "noise": _noise,
    "wait": _wait,
    "drop": lambda _: _drop,
    "end": lambda _: lambda caller: caller.ended(),
}

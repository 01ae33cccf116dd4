"""Whose time an answer on the phone took: the recogniser's, the model's, the voice's; the rest is ours.

All moments are seconds since 1970, by one machine's clock: the callers', and those that the simulated
providers have recorded of the very turn, found by the mark in its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.faults.crowd import marks_in
from bench.voice_callers import Asked, CallHeard
from server.voice.vad import Change, Detectors, VoiceActivity
from simulators.google_tts_audio import FRAME, QUIET, speech
from simulators.openai_scripts import tokens
from simulators.twilio.mulaw import FRAME_S

Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the providers take of their own, in ms: set, and never ours."""

    final_ms: float = 100
    first_token_ms: float = 300
    token_ms: float = 15
    voice_ms: float = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One question that a model and a voice have answered, step by step.

    ``worded_at``: the last token of the first sentence was due on the model's wire.
    """

    asked: Asked
    quiet_at: float
    final_at: float
    model_asked_at: float
    worded_at: float
    voice_asked_at: float
    voiced_at: float
    heard_at: float

    @property
    def mark(self) -> str:
        """That of the turn."""
        return marks_in(self.asked.text)[0]

    @property
    def model_ms(self) -> float:
        """The model's own, until the words of the first sentence were out."""
        return (self.worded_at - self.model_asked_at) * 1000

    @property
    def voice_ms(self) -> float:
        """The voice's own."""
        return (self.voiced_at - self.voice_asked_at) * 1000

    def beyond_ms(self, pace: Pace) -> float:
        """From the first quiet frame to the first audio, less what the three providers took."""
        whole = (self.heard_at - self.quiet_at) * 1000
        return whole - pace.final_ms - self.model_ms - self.voice_ms

    def steps(self, pace: Pace) -> dict[str, float]:
        """What `beyond_ms` is made of, in ms."""
        return {
            "quiet frame to final words": (self.final_at - self.quiet_at) * 1000 - pace.final_ms,
            "final words to the model's request": (self.model_asked_at - self.final_at) * 1000,
            "first sentence to the voice's request": (self.voice_asked_at - self.worded_at) * 1000,
            "first audio to the caller": (self.heard_at - self.voiced_at) * 1000,
        }


@dataclass(frozen=True, slots=True)
class BargeIn:
    """A caller who spoke over an answer; ``clear_ms`` is None if the answer went on."""

    confirm_ms: float
    clear_ms: float | None


class Providers:
    """What the three have recorded, by the mark of the turn."""

    def __init__(self, speech_records: Records, model_records: Records, voice_records: Records) -> None:
        told = [one for record in speech_records for one in record["told"] if one["kind"] == "final"]
        self._finals = _by_mark(told, lambda one: str(one["text"]))
        self._asked = _by_mark(model_records, _last_message)
        self._voiced = _by_mark(voice_records, lambda one: str(one["text"]))

    def answered(self, asked: Asked, pace: Pace) -> Answered | None:
        """The way of *asked*; None if it was not these three that answered it."""
        mark, heard_at = next(iter(marks_in(asked.text)), ""), asked.heard_at
        if heard_at is None:
            return None
        voiced = _latest(self._voiced.get(mark, []), "first_audio_at", heard_at)
        if voiced is None:
            return None
        model = _latest(self._asked.get(mark, []), "first_token_at", voiced["asked_at"])
        final = _latest(self._finals.get(mark, []), "at", heard_at)
        if model is None or final is None:
            return None
        spoken = len(tokens(voiced["text"]))
        return Answered(
            asked=asked,
            quiet_at=asked.quiet_at,
            final_at=final["at"],
            model_asked_at=model["received_at"],
            worded_at=model["first_token_at"] + (spoken - 1) * pace.token_ms / 1000,
            voice_asked_at=voiced["asked_at"],
            voiced_at=voiced["first_audio_at"],
            heard_at=heard_at,
        )


# When, in a call, frames left with which a voice was confirmed.
Confirmed = Callable[[CallHeard], Sequence[float]]


def barge_ins(calls: Sequence[CallHeard], confirmed: Confirmed) -> list[BargeIn]:
    """Every time that a caller spoke over an answer, in the order of *calls*."""
    return [one for call in calls for one in _barge_ins(call, confirmed(call))]


def by_detectors(calls: int) -> Confirmed:
    """As the desk confirms a voice: by its own detectors, over all the audio that the caller has sent.

    To be asked of *calls* calls in the order in which they began: the first of them got the better detectors.
    """
    detectors = Detectors()
    borrowed = iter([detectors.borrow() for _ in range(calls)])

    def confirmed(call: CallHeard) -> Sequence[float]:
        activity = VoiceActivity(next(borrowed))
        return [
            call.first_frame_at + place * FRAME_S
            for place, frame in enumerate(_frames(call))
            if call.first_frame_at is not None
            and any(change.change is Change.CONFIRMED for change in activity.hear(frame))
        ]

    return confirmed


def after_frames(count: int) -> Confirmed:
    """As the floor confirms a voice: with the *count*-th loud frame."""

    def confirmed(call: CallHeard) -> Sequence[float]:
        return [one.began_at + (count - 1) * FRAME_S for one in call.asked]

    return confirmed


def _barge_ins(call: CallHeard, confirmed: Sequence[float]) -> list[BargeIn]:
    found = []
    for one in call.asked:
        moment = _first_within(confirmed, one.began_at, one.quiet_at)
        if one.is_cut_in and moment is not None:
            clear = _first_within(call.clears, one.began_at, one.quiet_at + 1)
            clear_ms = None if clear is None else (clear - moment) * 1000
            found.append(BargeIn((moment - one.began_at) * 1000, clear_ms))
    return found


def _frames(call: CallHeard) -> list[bytes]:
    """All that the caller's stream carried up to the end of the last question, as far as it stood."""
    if call.first_frame_at is None:
        return []
    last = max((one.quiet_at for one in call.asked), default=call.first_frame_at)
    frames = [QUIET * FRAME] * (round((last - call.first_frame_at) / FRAME_S) + 1)
    for one in call.asked:
        audio = speech(one.text)
        first = round((one.began_at - call.first_frame_at) / FRAME_S)
        for place in range(0, len(audio), FRAME):
            number = first + place // FRAME
            if 0 <= number < len(frames):
                frames[number] = audio[place : place + FRAME]
    return frames


def _by_mark(records: Iterable[Mapping[str, Any]], text_of: Any) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        for mark in marks_in(text_of(record)):
            found.setdefault(mark, []).append(record)
    return found


def _latest(records: Records, name: str, until: float) -> Mapping[str, Any] | None:
    """Of those whose *name* was by *until*, the latest."""
    known = [record for record in records if record[name] is not None and record[name] <= until]
    return max(known, key=lambda record: float(record[name]), default=None)


def _first_within(moments: Iterable[float], since: float, until: float) -> float | None:
    return next((moment for moment in moments if since <= moment <= until), None)


def _last_message(record: Mapping[str, Any]) -> str:
    body = record["body"] if isinstance(record["body"], dict) else {}
    messages = body.get("messages") or [{}]
    return str(messages[-1].get("content", ""))

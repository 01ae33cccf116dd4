"""What a caller makes of what they hear: a simulated voice is understood by the sound of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from server.voice.lines import Line, line
from server.voice.mouth import as_sentence
from server.voice.sentences import SentenceSplitter
from simulators.google_tts_audio import FRAME, Ear, speech
from simulators.twilio import mulaw
from simulators.twilio.playback import Arrival, Playback

# The desk's own, and the one with which the phone network says what it is told to.
DESK_VOICE, NETWORK_VOICE = "en-US-Chirp3-HD-Aoede", "network"
_LANGUAGE = "en"
_PAUSE_S = 0.2
# Whoever hears one of these waits on.
_FILLERS = (Line.ONE_MOMENT, Line.STILL_LOOKING)


def network_says(text: str, _language: str) -> bytes:
    """The sound of a ``<Say>``."""
    return speech(text, NETWORK_VOICE)


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that sounded from ``at`` on; ``text`` is empty where it is none of the desk's own lines."""

    at: float
    text: str


class Ears:
    """Know the desk's own lines, and *greeting*, by their sound."""

    def __init__(self, greeting: str) -> None:
        texts = list(_texts([greeting, *(line(name, _LANGUAGE) for name in Line)]))
        self._ears = [Ear(texts, voice) for voice in (DESK_VOICE, NETWORK_VOICE)]
        self._fillers = frozenset(_texts(line(name, _LANGUAGE) for name in _FILLERS))

    def understand(self, audio: bytes) -> str:
        """The line, or sentence of one, that *audio* begins with; empty if it is something else."""
        frames = (audio[place : place + FRAME] for place in range(0, len(audio), FRAME))
        loud = next((frame for frame in frames if mulaw.is_loud(frame)), b"")
        return next((text for ear in self._ears if (text := ear.find(loud))), "")

    def is_filler(self, text: str) -> bool:
        """Whether who hears it waits on."""
        return text in self._fillers


class UnderstoodPlayback(Playback):
    """Notes what is said as it is played."""

    def __init__(self, ears: Ears) -> None:
        super().__init__()
        self._ears = ears
        self.heard: list[Heard] = []

    def play(self, audio: bytes, now: float) -> float:
        """Queue *audio*; returns when it will have been played."""
        ends = super().play(audio, now)
        if self.arrivals[-1].is_loud:
            self.heard.append(Heard(self.arrivals[-1].plays_at, self._ears.understand(audio)))
        return ends

    def utterances(self) -> Iterator[Heard]:
        """Each line, and whatever else is said in one go, once."""
        before, ends = "", 0.0
        for heard, arrival in zip(self.heard, self._loud_arrivals(), strict=True):
            if heard.text != before or heard.at > ends + _PAUSE_S:
                yield heard
            before, ends = heard.text, arrival.plays_at + arrival.size / mulaw.RATE_HZ

    def _loud_arrivals(self) -> Iterator[Arrival]:
        return (arrival for arrival in self.arrivals if arrival.is_loud)

    def latest(self, since: float) -> Heard | None:
        """The latest that sounded since *since*."""
        return next((heard for heard in reversed(self.heard) if heard.at >= since), None)


def _texts(lines: Iterable[str]) -> Iterator[str]:
    """Each line whole, as the network says it, and by sentences, as the desk does."""
    for text in lines:
        yield text
        splitter = SentenceSplitter()
        for sentence in [*splitter.feed(text), *splitter.finish()]:
            yield as_sentence(sentence, _LANGUAGE).spoken

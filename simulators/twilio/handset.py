"""What the caller holds: what goes into the call, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.twilio import speech
from simulators.twilio.microphone import Microphone
from simulators.twilio.playback import Playback


def murmur(text: str, _language: str) -> bytes:
    """Mu-law of someone saying *text*, in sounds that nobody understands."""
    return speech.speak(text)


@dataclass(frozen=True)
class Handset:
    """By default that of a scripted caller, who hears by the clock.

    ``voice`` gives the sound of a ``<Say>`` from its text and language; it is called in a thread.
    """

    microphone: Microphone = field(default_factory=Microphone)
    playback: Playback = field(default_factory=Playback)
    voice: Callable[[str, str], bytes] = murmur

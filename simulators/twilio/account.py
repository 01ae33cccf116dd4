"""An account of the phone network: its credentials, its numbers, and who answers when it dials out."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Literal

from simulators.twilio import mulaw

Outcome = Literal["answered", "busy", "no-answer", "failed"]
StatusEvent = Literal["initiated", "ringing", "answered", "completed"]


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number of the account, and the URLs that are called for it.

    ``status_events``: which events ``status_callback`` is told. For a number that is called, Twilio tells
    ``completed`` alone; the others are for calls that an account places.
    """

    voice_url: str
    voice_method: str = "POST"
    fallback_url: str = ""
    status_callback: str = ""
    status_events: tuple[StatusEvent, ...] = ("completed",)


@dataclass(frozen=True, kw_only=True)
class Party:
    """Whoever is dialled, as the script has it.

    ``outcome`` is known after ``after_s`` seconds of ringing. Who answered says ``says`` and hangs up after
    ``talks_s`` unless the caller does first. ``confirms`` is what they press when a document asks them before
    they are connected.
    """

    outcome: Outcome = "answered"
    after_s: float = 0.05
    talks_s: float = 0.5
    says: str = "Hello, how can I help?"
    confirms: str = ""


# Nobody is reached at a number that the script does not know.
UNKNOWN_PARTY = Party(outcome="failed")


@dataclass
class Account:
    """Credentials, and what belongs to them. The same seed gives the same ids."""

    auth_token: str
    account_sid: str = "AC" + "5" * 32
    seed: int = 0
    numbers: dict[str, Number] = field(default_factory=dict)
    parties: dict[str, Party] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._count = itertools.count(1)

    def new_sid(self, prefix: str) -> str:
        """A new id, such as ``CA`` and 32 hexadecimal digits."""
        told = f"{self.seed}:{prefix}:{next(self._count)}"
        return prefix + hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()

    def party(self, name: str) -> Party:
        """Who answers at *name*, a number or a client."""
        return self.parties.get(name, UNKNOWN_PARTY)


@dataclass(frozen=True, slots=True)
class Recording:
    """Something that was recorded, in mu-law; ``began`` is in seconds since 1970."""

    sid: str
    call_sid: str
    audio: bytes
    began: float

    @property
    def seconds(self) -> int:
        """How long it is, as Twilio tells it."""
        return max(1, round(mulaw.duration_s(self.audio)))

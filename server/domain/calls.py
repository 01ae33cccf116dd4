"""Phone calls."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.domain.conversations import HistoryLine, Mode, Reply
from server.domain.playground import is_test_key
from server.domain.tenants import Tenant


class NextStep(StrEnum):
    """What a call goes on with when its media socket is closed."""

    # The socket broke: the caller is asked sentence by sentence, by Twilio's own means.
    ASK = "ask"
    TRANSFER = "transfer"
    MESSAGE = "message"
    HANG_UP = "hang_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that has come in.

    ``id`` is Twilio's CallSid. ``caller`` is the number as the network told it, empty where it was withheld;
    it may be forged, and unlocks nothing. Of a test of staff's it is the chat key. ``called`` is the
    business's. ``conversation_id`` is the thread that the caller shares with their WhatsApp, ``history`` its
    last lines, oldest first, and ``language`` the one that was spoken there last, if known. ``to_say`` is
    said before ``next_step``.
    """

    id: str
    tenant: Tenant
    caller: str
    called: str
    conversation_id: int
    guest_name: str | None
    mode: Mode
    language: str | None
    history: Sequence[HistoryLine]
    next_step: NextStep
    to_say: str = ""

    @property
    def is_test(self) -> bool:
        """Whether staff try the desk from a browser: no telephone network carries it."""
        return is_test_key(self.caller)

    @property
    def is_for_staff(self) -> bool:
        """Whether a person is to answer, and not the desk: staff have the thread, or the AI is paused."""
        return self.mode is not Mode.AI or self.tenant.settings.ai_paused


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTurn:
    """What was said on a call, and what came of it.

    ``words`` are the caller's, empty for the greeting. ``told`` is what of the reply the caller heard:
    all of it, its beginning if they interrupted, or nothing; ``ended_at`` is when it fell silent.
    """

    number: int
    words: str
    reply: Reply
    told: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class EndedCall:
    """A call that is over, and its last turn: what the caller said, the reply, and what was told of it."""

    call: Call
    words: str = ""
    reply: Reply | None = None
    told: str = ""


# Why a call is put through, as the reflexes name it.
ASKED_FOR_PERSON = "asked_for_person"
# Of a turn whose answer is still being made, and has no text.
ANSWER_PENDING = "answer_pending"
# Of what is written to a caller after a call that broke off, and its place among the call's turns.
CALL_CONTINUED = "call_continued"
CONTINUED_TURN = 0


def wants_person(reply: Reply) -> bool:
    """Whether *reply* is to a caller who is to be put through: they asked for it, or are in danger."""
    return reply.urgent or reply.reason == ASKED_FOR_PERSON


def call_turn_id(call_id: str, number: int) -> str:
    """The id of a call's turn: the same for the same, whoever asks."""
    return hashlib.sha256(f"call:{call_id}:{number}".encode()).hexdigest()[:32]

"""A thread with one guest, and what one turn of it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from server.domain.knowledge import Citation
from server.domain.messages import Channel, MessageKind, Quoted
from server.domain.playground import is_test_key
from server.domain.tenants import Tenant


class Mode(StrEnum):
    """Who answers a conversation."""

    AI = "ai"
    DRAFT = "draft"
    HUMAN = "human"


class Speaker(StrEnum):
    """Who said a line: the guest, or the business (the desk and its people alike).

    A ``NOTE`` is ours, for the model alone: it tells what happened between the lines, holds no words of a
    guest's, and is never quoted to one.
    """

    GUEST = "guest"
    HOST = "host"
    NOTE = "note"


class Unanswered(StrEnum):
    """Why a message that came in has no reply of the desk's."""

    # It asks nothing: a reaction, a sticker.
    NOT_ANSWERABLE = "not_answerable"
    # The business wrote it itself.
    OWN = "own"
    # Staff have the conversation, or the desk is paused.
    HUMAN = "human"
    PAUSED = "paused"
    # It is so old that an answer would puzzle the guest.
    STALE = "stale"
    # Who asked on the chat API went away before the answer was there.
    CLIENT_LEFT = "client_left"


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One earlier line of a conversation."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on ``key`` alone. Writes carry ``token`` and are refused once it is old."""

    key: str
    owner: str
    token: int


def conversation_key(conversation_id: int) -> str:
    """Whoever has this lease takes the conversation's turns."""
    return f"conversation:{conversation_id}"


def lane_key(lane: str) -> str:
    """Whoever has this lease sends the lane's messages."""
    return f"outbox:{lane}"


class Unheard(StrEnum):
    """Why nobody knows what a voice message says; staff are told so."""

    # No speech recognition is configured.
    NO_EARS = "voice_not_transcribed"
    TOO_LARGE = "voice_too_large"
    TOO_LONG = "voice_too_long"
    # WhatsApp does not have it any more.
    GONE = "voice_gone"
    # It is damaged, or not what it says it is.
    UNREADABLE = "voice_unreadable"
    # It has no words, or none that were made out for sure.
    UNCLEAR = "voice_unclear"
    LATE = "voice_late"
    FAILED = "voice_failed"


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A saved message that no reply covers yet. ``unheard`` is of a voice message without words."""

    id: int
    provider_id: str
    kind: MessageKind
    text: str
    quoted: Quoted | None
    received_at: datetime
    attempts: int
    details: Mapping[str, object] = field(default_factory=dict)
    unheard: Unheard | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a caller of the chat API said about how to answer. ``model`` is empty where it is left to us."""

    model: str = ""
    uses_knowledge: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The waiting messages of one conversation with all that is needed to answer them.

    ``is_stale``: they are too old to be answered as if they were new. ``history`` is oldest first, without
    the waiting messages. ``offered`` are the document ids that the last reply offered as numbered choices,
    in that order.
    """

    id: str
    tenant: Tenant
    conversation_id: int
    channel: Channel
    mode: Mode
    reply_to: str
    guest_name: str | None
    messages: Sequence[WaitingMessage]
    history: Sequence[HistoryLine]
    offered: Sequence[str]
    is_stale: bool = False

    @property
    def is_test(self) -> bool:
        """Whether staff try the desk: nobody else is to hear of it."""
        return self.channel is not Channel.WHATSAPP and is_test_key(self.reply_to)

    @property
    def question(self) -> str:
        """What the guest wrote, the lines of several messages joined."""
        return "\n".join(message.text for message in self.messages if message.text)

    @property
    def unheard(self) -> Unheard | None:
        """Why a voice message among them has no words; None where all have, or there is none."""
        return next((message.unheard for message in self.messages if message.unheard), None)

    @property
    def wishes(self) -> Wishes:
        """Those of the last message."""
        details = self.messages[-1].details
        return Wishes(str(details.get("model") or ""), details.get("use_rag") is not False)


def lone_turn(tenant: Tenant, channel: Channel, question: str, now: datetime) -> Turn:
    """A question of nobody's, in no conversation: its answer is looked at or kept, never sent."""
    return Turn(
        id="lone",
        tenant=tenant,
        conversation_id=0,
        channel=channel,
        mode=Mode.AI,
        reply_to="",
        guest_name=None,
        messages=[WaitingMessage(0, "lone", MessageKind.TEXT, question, None, now, 0)],
        history=(),
        offered=(),
    )


class ReplySource(StrEnum):
    """Where the words of a reply came from."""

    MODEL = "model"
    CACHE = "cache"
    SHORTCUT = "shortcut"
    KNOWLEDGE = "knowledge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a turn decided to say. ``handover`` asks staff to look at the conversation.

    ``offered`` are document ids that the text offers as numbered choices. ``quick_replies`` are questions
    that the guest may want to ask next. ``conflicts`` are pairs of document ids, the first of which was
    believed against the second. ``timings_ms`` are spans of the making, by name; ``steps_ms`` are moments,
    counted from the arrival of the oldest message (see `STEPS`). ``model`` and ``prompt_version`` are empty
    and 0 where no model was asked. ``urgent``: somebody may be in danger. ``held_back`` is why the gate let
    a model's words not out, so that others had to be said; empty if it held nothing back.
    """

    text: str
    source: ReplySource
    language: str
    citations: Sequence[Citation] = ()
    offered: Sequence[str] = ()
    handover: bool = False
    reason: str = ""
    conflicts: Sequence[tuple[str, str]] = ()
    quick_replies: Sequence[str] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    steps_ms: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    prompt_version: int = 0
    urgent: bool = False
    held_back: str = ""


# The moments of a turn, in their order; what did not happen is missing. Sent, delivered and read come later.
STEPS = ("queued", "context", "first_token", "last_token", "gate", "committed")


class Sentiment(StrEnum):
    """How a guest sounds."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What is noted of a turn once the reply is out.

    ``documents_disagree`` names the pairs that contradict one another, for staff; None if none do.
    ``held_back`` is the gate's reason, if it let a model's words not out.
    """

    language: str
    intent: str
    sentiment: Sentiment
    open_request: bool
    needs_human: bool
    documents_disagree: str | None = None
    held_back: str | None = None

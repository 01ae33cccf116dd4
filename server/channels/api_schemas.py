"""The JSON of the public API, as OpenAPI describes it.

What comes in is read by hand, with errors that say how to mend it; a test holds both against one another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from server.channels.chat_messages import (
    LONGEST_CLIENT_ID,
    LONGEST_CONVERSATION,
    LONGEST_MESSAGE,
    LONGEST_MODEL,
)
from server.channels.conversations import LONGEST_CLIENT_ID as LONGEST_STAFF_ID
from server.channels.conversations import LONGEST_STAFF_MESSAGE
from server.domain.conversations import Mode, ReplySource
from server.domain.messages import Channel, DeliveryState, MessageKind, OutboundKind
from server.domain.modes import EventKind

# Something besides blanks. Some of Python's are none for other readers of a pattern.
_SAID = r"[^\s\x00\x1c-\x1f\x85\xa0]"


class _Told(BaseModel):
    """Something that we tell. Clients should expect more fields in later versions."""

    model_config = ConfigDict(json_schema_mode_override="serialization")


class ChatRequest(BaseModel):
    """A guest's message."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"tenant": "1", "conversation": "web-42", "message": "When is check-in?"}]
        }
    )

    tenant: Annotated[str, Field(min_length=1, max_length=LONGEST_CONVERSATION, pattern=_SAID)] = Field(
        description="The business; it must be the key's own."
    )
    conversation: Annotated[str, Field(min_length=1, max_length=LONGEST_CONVERSATION, pattern=_SAID)] = Field(
        description="Your own name for the guest's thread."
    )
    message: Annotated[str, Field(min_length=1, max_length=LONGEST_MESSAGE, pattern=_SAID)] = Field(
        description="What the guest wrote."
    )
    message_id: Annotated[
        Annotated[str, Field(min_length=1, max_length=LONGEST_CLIENT_ID, pattern=_SAID)] | None,
        Field(
            description="Your own id of the message: under the same id it is the same message, with the same "
            "reply, so that a call may be repeated."
        ),
    ] = None
    model: Annotated[
        Annotated[str, Field(min_length=1, max_length=LONGEST_MODEL, pattern=_SAID)] | None,
        Field(description="One of the configured models; 422 lists them."),
    ] = None
    use_rag: Annotated[bool | None, Field(description="false: answer without the business's documents.")] = (
        None
    )
    use_web_search: Annotated[
        bool | None, Field(description="There is no web search yet: it changes nothing.")
    ] = None


class Citation(_Told):
    """A document that the reply rests on."""

    document: str
    title: str
    score: float


class ChatAnswer(_Told):
    """The reply. Where staff have the conversation it is empty, with ``handover``."""

    reply: str
    citations: list[Citation]
    handover: bool
    source: ReplySource
    quick_replies: list[str] = Field(description="Questions that the guest may want to ask next.")
    timings_ms: dict[str, float]


class Failure(_Told):
    """What went wrong, in a sentence that says how to mend it."""

    error: str


class Guest(_Told):
    """Who the business is talking with; ``phone`` has a plus and digits only."""

    name: str | None
    phone: str | None
    chat_key: str | None


class Conversation(_Told):
    """One thread. ``hand_back_at``: when the desk takes over again if staff say nothing."""

    id: int
    guest: Guest
    channel: Channel
    mode: Mode
    hand_back_at: datetime | None
    needs_human: bool
    language: str | None
    last_message_at: datetime


class ConversationList(_Told):
    """Newest first; ``before`` is the next page's, null on the last."""

    conversations: list[Conversation]
    before: str | None


class InboundLine(_Told):
    """A message that came in."""

    type: Literal["inbound"]
    id: int
    at: datetime
    sent_at: datetime
    sender: Literal["guest", "host_phone"] = Field(alias="from")
    kind: MessageKind
    text: str
    quoted: str | None
    waiting: bool
    unanswered_because: str | None
    automatic: bool


class OutboundLine(_Told):
    """A message to the guest."""

    type: Literal["outbound"]
    id: str
    at: datetime
    kind: OutboundKind
    text: str
    state: DeliveryState
    reason: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None


class EventLine(_Told):
    """Something that happened between the messages."""

    type: Literal["event"]
    at: datetime
    kind: EventKind
    by: str
    mode: Mode | None


class CallLine(_Told):
    """A phone call, where it began; ``GET /api/v1/calls/{id}`` tells more of it."""

    type: Literal["call"]
    id: str
    at: datetime
    seconds: int | None
    recordings: int


class Thread(Conversation):
    """A conversation with a page of its lines, oldest first."""

    messages: list[Annotated[InboundLine | OutboundLine | EventLine | CallLine, Field(discriminator="type")]]
    before: str | None


class ModeRequest(BaseModel):
    """Who shall answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "human"}]})

    mode: Mode


class ModeAnswer(_Told):
    """Who answers now, and how many replies of the desk that has cancelled."""

    id: int
    mode: Mode
    cancelled: int


class StaffRequest(BaseModel):
    """What staff write."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Your room is ready.", "id": "m-7"}]})

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_STAFF_MESSAGE, pattern=_SAID)]
    id: Annotated[
        Annotated[str, Field(min_length=1, max_length=LONGEST_STAFF_ID, pattern=_SAID)] | None,
        Field(description="Your own id: under the same id nothing is sent twice."),
    ] = None


class StaffAnswer(_Told):
    """The message's id, and how far it has got."""

    id: str
    state: DeliveryState


class CallTurn(_Told):
    """What was said on a call. ``intended`` is the whole reply where the caller heard less of it.

    ``steps_ms``: its moments, counted from the end of the caller's words.
    """

    at: datetime
    words: str
    told: str
    intended: str | None
    source: ReplySource
    language: str
    handover: bool
    reason: str | None
    citations: list[Citation]
    steps_ms: dict[str, float]


class CallRecording(_Told):
    """A recording. ``seconds`` is null while it is being made, and for good if that broke off."""

    number: int
    begun_at: datetime
    seconds: float | None
    complete: bool


class SpokenCall(_Told):
    """A call. Its end and its length are null until the phone network has told of them."""

    id: str
    conversation: int
    caller: str | None
    called: str
    started_at: datetime
    ended_at: datetime | None
    ended_because: str | None
    seconds: int | None
    turns: list[CallTurn]
    recordings: list[CallRecording]


class Alive(_Told):
    """The process answers."""

    status: Literal["ok"]


class Readiness(_Told):
    """Whether messages can be taken in and answered."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, bool]


class Health(_Told):
    """The same, with the key's own WhatsApp numbers as their sidecars tell of them, and what is wrong."""

    status: Literal["ok", "degraded"]
    checks: dict[str, bool]
    numbers: list[dict[str, Any]]
    alerts: list[dict[str, Any]]


class MetricsSummary(_Told):
    """The figures of ``/metrics`` in short."""

    window_s: float
    totals: dict[str, Any]
    rates_per_minute: dict[str, float]
    percentiles_ms: dict[str, dict[str, float | None]]
    alerts: list[dict[str, Any]]


class Performance(_Told):
    """How quick the desk is now; ``models`` and ``turns`` are null while the database does not answer."""

    at: datetime
    system: dict[str, Any]
    pools: dict[str, Any]
    caches: dict[str, Any]
    queues: dict[str, float]
    models: list[dict[str, Any]] | None
    turns: dict[str, Any] | None
    alerts: list[dict[str, Any]]


class BenchmarkAnswer(_Told):
    """What the running desk has measured of itself; ``complete`` is false where the time was up before."""

    iterations: int
    complete: bool
    seconds: float
    failures: int
    measured_ms: dict[str, Any]

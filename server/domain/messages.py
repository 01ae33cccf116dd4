"""Messages that come in, and messages that go out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    """How a guest is in touch."""

    WHATSAPP = "whatsapp"
    CHAT = "chat"
    VOICE = "voice"
    # Not a guest's: where the business asked to be told of things.
    STAFF_WEBHOOK = "staff_webhook"
    STAFF_EMAIL = "staff_email"


class MessageKind(StrEnum):
    """What a guest sent. Only ``TEXT`` and captions carry words to answer."""

    TEXT = "text"
    REACTION = "reaction"
    LOCATION = "location"
    CONTACT = "contact"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"
    OTHER = "other"

    @property
    def is_answerable(self) -> bool:
        """Whether a guest who sends this waits for an answer."""
        return self not in (MessageKind.REACTION, MessageKind.STICKER)


@dataclass(frozen=True, slots=True)
class GuestAddress:
    """All that a channel knows of who wrote.

    ``reply_to`` is where an answer goes: the address as the guest used it. ``lid`` and ``phone`` are
    WhatsApp's two names of one person (JIDs ending in ``@lid`` and ``@s.whatsapp.net``); either may be
    missing. ``chat_key`` is the conversation id of a chat API client.
    """

    reply_to: str
    lid: str | None = None
    phone: str | None = None
    chat_key: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """The message that a guest answered to."""

    provider_id: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """One message as it came in, normalised.

    ``provider_id`` is the sender's choice and unique only within a chat. ``from_me`` marks what the
    business itself wrote on its own phone. ``sequence`` is the sidecar's journal number, 0 elsewhere.
    """

    tenant_id: str
    channel: Channel
    address: GuestAddress
    provider_id: str
    kind: MessageKind
    text: str
    sent_at: datetime
    from_me: bool = False
    sequence: int = 0
    quoted: Quoted | None = None
    details: Mapping[str, object] = field(default_factory=dict)


# Where an inbound message's details hold what the channel fetches its media by. It is WhatsApp's own message,
# without what is not needed for that.
MEDIA = "media"
# Where they hold that its words were made out in a recording.
TRANSCRIPT = "transcript"


def media_of(details: Mapping[str, object]) -> Mapping[str, object] | None:
    """What the message carries beside words, as the channel wants it named; None if it carries nothing."""
    media = details.get(MEDIA)
    return media if isinstance(media, Mapping) else None


def file_name_of(details: Mapping[str, object]) -> str:
    """The name that the guest's phone gave to what it sent, on one line; empty if it gave none."""
    return " ".join(str(details.get("file_name") or "").split())


class OutboundKind(StrEnum):
    """Why a message leaves. Only ``REPLY`` covers guests' messages."""

    REPLY = "reply"
    STAFF = "staff"
    NOTICE = "notice"
    # A business's line is down, and up again.
    ALERT = "alert"
    ALL_CLEAR = "all_clear"
    # The morning report. It quotes several guests.
    REPORT = "report"


class DeliveryState(StrEnum):
    """Where a message that leaves has got to."""

    COMMITTED = "committed"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """A committed message on its way out. ``may_have_left``: an earlier attempt ended without a word."""

    id: int
    tenant_id: str
    channel: Channel
    lane: str
    to: str
    text: str
    message_id: str
    attempts: int
    committed_at: datetime
    may_have_left: bool = False


def conversation_lane(conversation_id: int) -> str:
    """The outbox lane of what is sent to a conversation's guest."""
    return f"conversation:{conversation_id}"

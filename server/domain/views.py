"""What the console's pages show: plain values, read in one go by `server.store.queries`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.domain.call_views import RecordingView
from server.domain.conversations import Mode, Speaker
from server.domain.knowledge import Citation
from server.domain.messages import Channel, DeliveryState, MessageKind, OutboundKind
from server.domain.modes import EventKind
from server.domain.phrases import Phrase
from server.domain.playground import is_test_key

# A message that took longer than this to reach us was held up on its way.
LATE_AFTER = timedelta(minutes=1)

# In the place of a user's id: conversations that nobody looks after.
NOBODY = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which conversations to list: those that hold ``text`` in a name, number or message, and whose newest
    message came or went over ``channel``. ``label`` is one of staff's, in whatever case; ``assigned`` is the
    user who looks after it, or `NOBODY`. ``is_new``: no member of staff has seen its newest message.
    """

    text: str = ""
    needs_human: bool = False
    is_new: bool = False
    mode: Mode | None = None
    channel: Channel | None = None
    language: str | None = None
    label: str = ""
    assigned: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether all conversations are listed."""
        return self == Wanted()

    @property
    def is_chosen(self) -> bool:
        """Whether something is chosen from a list of few, such as a channel or a label."""
        return any((self.mode, self.channel, self.language, self.label, self.assigned is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestView:
    """Who the business is talking with. ``phone`` has a plus and digits only."""

    id: int
    name: str | None
    phone: str | None
    chat_key: str | None

    @property
    def title(self) -> str:
        """The best name there is; a phrase where there is none."""
        return self.name or self.handle or Phrase("Guest {number}", number=self.id)

    @property
    def is_test(self) -> bool:
        """Whether it is a member of staff who tries the desk."""
        return is_test_key(self.chat_key)

    @property
    def handle(self) -> str | None:
        """The phone number, or the id that a chat client gave."""
        return self.phone or self.chat_key


@dataclass(frozen=True, slots=True)
class Preview:
    """The newest message of a conversation."""

    speaker: Speaker
    kind: MessageKind
    text: str
    state: DeliveryState | None


@dataclass(frozen=True, slots=True)
class Assignee:
    """The member of staff who looks after a conversation."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSummary:
    """One line of the list. ``hand_back_at``: when the desk takes over again if staff say nothing.
    ``new_message_id``: the newest that came in, if it is the guest's and no member of staff has seen it.
    """

    id: int
    guest: GuestView
    channel: Channel
    mode: Mode
    hand_back_at: datetime | None
    guest_typing_until: datetime | None
    needs_human_since: datetime | None
    language: str | None
    last_message_at: datetime
    new_message_id: int | None
    preview: Preview | None
    labels: Sequence[str] = ()
    assignee: Assignee | None = None

    @property
    def needs_human(self) -> bool:
        """Whether it waits for a person."""
        return self.needs_human_since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundView:
    """One message that came in: the guest's, or (``from_me``) from the business's own phone.

    ``at`` is when it reached us. ``is_waiting``: its turn has not ended yet. ``unanswered_because`` says why
    the desk did not answer it. ``is_automatic``: the phone sent it by itself, nobody typed it. ``has_file``:
    it came with a recording, a picture or the like, under ``file_name`` if the guest's phone gave it one.
    ``is_transcript``: its text was made out in a recording.
    """

    id: int
    at: datetime
    sent_at: datetime
    kind: MessageKind
    text: str
    quoted_text: str | None
    from_me: bool
    is_waiting: bool
    unanswered_because: str
    is_automatic: bool
    has_file: bool
    file_name: str
    is_transcript: bool

    @property
    def was_late(self) -> bool:
        """Whether it was held up on its way."""
        return self.at - self.sent_at >= LATE_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """How a reply came about. ``timings_ms`` are spans by name, ``steps_ms`` moments counted from the arrival
    of the oldest message. ``model`` and ``prompt_version`` are empty and 0 where no model was asked.
    ``intended`` is what was to be said on a call where the caller heard less. ``committed_at`` is when it was
    decided.
    """

    id: str
    source: str
    language: str
    handover: bool
    reason: str
    citations: Sequence[Citation]
    timings_ms: Mapping[str, float]
    steps_ms: Mapping[str, float]
    model: str
    prompt_version: int
    intended: str | None
    committed_at: datetime
    analysis: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundView:
    """One message to the guest. ``at`` is when it was committed; ``reason`` says why it failed.
    ``message_id`` is the id it has on its channel. ``is_spoken``: on a call, and ``text`` is what was heard.

    ``guest_wrote_at`` is when the oldest message that it answers reached us.
    """

    id: int
    message_id: str
    at: datetime
    kind: OutboundKind
    text: str
    state: DeliveryState
    reason: str
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    guest_wrote_at: datetime | None
    is_spoken: bool
    turn: TurnView | None

    @property
    def waited_ms(self) -> float | None:
        """How long the guest waited, from the arrival of the question to WhatsApp taking the answer."""
        if self.guest_wrote_at is None or self.sent_at is None:
            return None
        return (self.sent_at - self.guest_wrote_at) / timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """Something that happened between the messages. ``mode`` is what it has set, if it has set one."""

    at: datetime
    kind: EventKind
    actor: str
    mode: Mode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """A phone call, where it began; what was said on it follows as messages.

    ``seconds`` is None until the network has told of its end.
    """

    id: str
    at: datetime
    seconds: int | None
    recordings: Sequence[RecordingView]


@dataclass(frozen=True, slots=True)
class NoteView:
    """What a member of staff told the others. It is for the team alone."""

    id: int
    at: datetime
    author: str
    text: str


ThreadLine = InboundView | OutboundView | EventView | CallLine | NoteView


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """The message that a file came with, as `server.conversation.enclosures` wants it named.

    ``file_name`` is the guest's word, and may be empty.
    """

    received_at: datetime
    file_name: str
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Conversations, newest first; ``older`` is the cursor of the next page, if there is one."""

    conversations: Sequence[ConversationSummary]
    older: str | None


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Lines of a thread, oldest first; ``older`` is the cursor of the page before, if there is one."""

    conversation: ConversationSummary
    lines: Sequence[ThreadLine]
    older: str | None

"""What we ask of the database. All calls block; the core makes them in worker threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from server.domain.conversations import Analysis, Lease, Reply, Turn, Unanswered
from server.domain.messages import DeliveryState, InboundMessage, OutboundMessage
from server.domain.tenants import Tenant, TenantSettings


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of one message: its row, its conversation, and whether it was new."""

    id: int
    conversation_id: int
    is_new: bool
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn that is ours to answer, as long as the lease of its conversation holds."""

    lease: Lease
    turn: Turn


@dataclass(frozen=True, slots=True)
class Begun:
    """A message that was saved, and its turn; None where somebody else is at work on the conversation."""

    saved: Saved
    taken: Taken | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A turn has ended and its lease is given back.

    ``lanes`` of the outbox have something to send; ``is_due`` tells that the next turn waits already.
    """

    lanes: Sequence[str]
    is_due: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """Two guests that are one person: the conversation *leaving* goes into *staying*."""

    guest_id: int
    leaving: int
    staying: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What has happened in a conversation since a turn was made up."""

    has_newer: bool
    is_typing: bool


class LeaseStore(Protocol):
    """Gives one owner at a time the right to work on a key."""

    @property
    def renew_every_s(self) -> float:
        """How often a lease must be renewed to be kept safely."""
        ...

    def claim(self, key: str) -> Lease | None:
        """Take *key* if it is free or its owner is gone; None if somebody is at work on it."""
        ...

    def renew(self, lease: Lease) -> None:
        """Keep the lease for another while.

        Raises:
            LeaseLost: somebody else has it.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Give it back; harmless if it was lost."""
        ...


class InboxStore(Protocol):
    """Messages that came in, until a turn has handled them."""

    def save(self, tenant_id: str, messages: Sequence[InboundMessage]) -> Sequence[Saved]:
        """Save what is new, in order, durably, in one transaction.

        Raises:
            NotFound: there is no such tenant.
            StoreUnavailable: nothing was saved.
        """
        ...

    def next_turn(self, conversation_id: int, history_lines: int) -> Turn | None:
        """The waiting messages as one turn; None if there are none or the oldest is not due yet.

        Messages that have become stale make a turn of their own.
        """
        ...

    def arrivals(self, turn: Turn) -> Arrivals:
        """Whether the guest has written more since *turn* was made up, or is writing."""
        ...

    def save_words(self, message_id: int, words: str, details: Mapping[str, object]) -> None:
        """Save what a message without words says, and add to its details; one that has words keeps its own.

        Raises:
            StoreUnavailable: nothing was saved.
        """
        ...

    def is_handled(self, message_id: int) -> bool:
        """Whether an inbound row's turn has ended, with a reply or without."""
        ...

    def find_chat_message(self, tenant_id: str, chat_key: str, message_id: int) -> Saved | None:
        """An inbound row of the tenant's chat client *chat_key*; None if it is not theirs."""
        ...


class TurnStore(Protocol):
    """How turns begin and end. Each call that saves is one transaction: all of it is saved, or nothing."""

    def due_conversations(self, limit: int) -> Sequence[int]:
        """Conversations with messages whose time has come, longest waiting first.

        Without those that somebody is at work on, who looks again when it is done.
        """
        ...

    def begin(self, message: InboundMessage, history_lines: int) -> Begun:
        """Save one message, durably, for a caller who waits for its reply, and take the turn that it is in.

        Where no turn comes with it look again with `take`: who had the conversation may not have seen it.

        Raises:
            NotFound: there is no such tenant.
            StoreUnavailable: nothing was saved.
        """
        ...

    def take(self, conversation_id: int, history_lines: int) -> Taken | None:
        """Take what waits in a conversation as one turn, and its lease with it.

        None if nothing is due, or somebody is at work on it, who looks again after giving it back.
        """
        ...

    def commit(
        self,
        lease: Lease,
        turn: Turn,
        reply: Reply,
        started_at: datetime,
        analysis: Analysis | None,
        *,
        unless_newer: bool,
    ) -> Ended:
        """Save *reply* as covering the turn's messages, put it into the outbox and give the lease back.

        Args:
            unless_newer: give way to a message that the guest has sent since the turn was made up.

        Raises:
            LeaseLost: nothing was saved.
            Overtaken: staff have taken over, or the guest wrote more; nothing was saved.
        """
        ...

    def with_unanswered(self, turn: Turn) -> Turn:
        """*turn* with what was left to staff before it and has no answer yet, for a draft that answers all.

        Only `Engine` is given it: what is committed or closed is the turn itself.
        """
        ...

    def commit_draft(self, lease: Lease, turn: Turn, reply: Reply, *, unless_newer: bool) -> Ended:
        """Keep *reply* as the conversation's one open draft, mark the turn's messages as left to staff, tell
        staff, and give the lease back. It covers nothing, and nothing leaves to the guest.

        Args:
            unless_newer: give way to a message that the guest has sent since the turn was made up.

        Raises:
            LeaseLost: nothing was saved.
            Overtaken: the conversation's mode is another now, or the guest wrote more; nothing was saved.
        """
        ...

    def close(self, lease: Lease, turn: Turn, because: Unanswered, *, needs_human: bool) -> Ended:
        """Mark the turn's messages as handled without a reply and give the lease back.

        Raises:
            LeaseLost: nothing was saved.
        """
        ...

    def postpone(self, lease: Lease, turn: Turn, delay_s: float) -> bool:
        """Count an attempt that failed, to be tried again in *delay_s* seconds, and give the lease back.

        Returns:
            Whether something is due in the conversation all the same.

        Raises:
            LeaseLost: nothing was saved.
        """
        ...


class ReplyStore(Protocol):
    """Replies and the messages that they cover."""

    def find_reply(self, message_id: int) -> Reply | None:
        """The reply that covers an inbound row, if there is one."""
        ...


class IdentityStore(Protocol):
    """Who a guest is: WhatsApp's two names of one person, and what they are doing."""

    def link(self, tenant_id: str, lid: str, phone: str) -> None:
        """The two JIDs are one person. Harmless if that is known, or if neither is."""
        ...

    def note_typing(self, tenant_id: str, jid: str, until: datetime | None) -> None:
        """The guest is writing, until *until* unless told again; None: has stopped. Best effort."""
        ...

    def due_merges(self, limit: int) -> Sequence[int]:
        """Guests that turned out to be somebody whom we know under another row."""
        ...

    def find_merge(self, guest_id: int) -> Merge | None:
        """What is to be merged for the guest; None if nothing is, or not yet."""
        ...

    def merge(self, leases: Sequence[Lease], merge: Merge) -> None:
        """Make one conversation of two; what waits in either waits once.

        Args:
            leases: of both conversations and both of their outbox lanes.

        Raises:
            LeaseLost: nothing was changed.
        """
        ...


class OutboxStore(Protocol):
    """Committed messages, first in, first out within a lane."""

    def due_lanes(self, limit: int) -> Sequence[str]:
        """Lanes whose first message may be sent now."""
        ...

    def is_due(self, lane: str) -> bool:
        """Whether the lane's first message may be sent now."""
        ...

    def start_sending(self, lease: Lease, lane: str) -> OutboundMessage | None:
        """Mark the lane's first message as being sent, if it is due, and return it.

        A reply of the desk in a conversation that staff have taken over is cancelled instead.

        Raises:
            LeaseLost: somebody else sends this lane.
        """
        ...

    def mark_sent(self, lease: Lease, message: OutboundMessage) -> None:
        """The provider has taken it."""
        ...

    def mark_failed(self, lease: Lease, message: OutboundMessage, reason: str) -> None:
        """It will never be sent; its conversation needs a person."""
        ...

    def postpone(self, lease: Lease, message: OutboundMessage, delay_s: float) -> None:
        """Try again later, under the same message id: nobody knows whether it has left."""
        ...

    def postpone_line(
        self, lease: Lease, message: OutboundMessage, delay_s: float, give_up_after: timedelta
    ) -> None:
        """The tenant's line is down, *message* has not left: it tries the line again in *delay_s* seconds,
        and the tenant's others wait for that. Those older than *give_up_after* do not: they may fail."""
        ...

    def wait_for_line(self, lease: Lease, message: OutboundMessage) -> bool:
        """Let *message*, which has not been tried, wait behind the one that tries the tenant's line.

        False if none does: the line has come back, or nobody knows of its being down."""
        ...

    def wake_tenant(self, tenant_id: str) -> Sequence[str]:
        """What waits for a later try may be sent now: the tenant's line is back. Returns the lanes."""
        ...

    def record_receipt(
        self, tenant_id: str, message_id: str, state: DeliveryState, at: datetime, reason: str = ""
    ) -> bool:
        """Note that a message was delivered, read or failed; a state never goes back. False if unknown."""
        ...


class TenantStore(Protocol):
    """Businesses."""

    def get(self, tenant_id: str) -> Tenant:
        """Raises NotFound if there is none."""
        ...

    def all(self) -> Sequence[Tenant]:
        """Every tenant, by id."""
        ...

    def add(self, tenant_id: str, settings: TenantSettings) -> None:
        """Raises UnprocessableRequest if the id is taken."""
        ...

    def update(self, tenant_id: str, settings: TenantSettings) -> None:
        """Raises NotFound if there is no such tenant."""
        ...


class KeyStore(Protocol):
    """API keys, known by their hashes."""

    def create(self, tenant_id: str) -> str:
        """Make a key and return it: the only time it can be seen.

        Raises:
            NotFound: there is no such tenant.
        """
        ...

    def find_tenant(self, key: str) -> str | None:
        """The tenant a key belongs to; a key that was revoked belongs to nobody from then on."""
        ...

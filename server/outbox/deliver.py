"""Sends committed messages, a lane at a time, and records what became of each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta

import structlog

from server.domain.conversations import Lease, lane_key
from server.domain.messages import Channel, OutboundMessage
from server.errors import LeaseLost, LineDown, ProviderRejected, ProviderUnavailable
from server.leases import hold
from server.observability.metrics import OUTBOX, SEND_SECONDS
from server.ports.clock import Clock
from server.ports.messaging import ChannelSender
from server.ports.store import LeaseStore, OutboxStore

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
# After this long an answer would puzzle the guest more than help; staff take over.
GIVE_UP_AFTER = timedelta(hours=12)

log = structlog.get_logger(__name__)


# What is down together: a tenant's own number, or whatever else carries a channel for it.
Line = tuple[str, Channel]


class Deliverer:
    """First in, first out within a lane: whoever has the lane's lease sends its messages.

    When a tenant's line is down, one of its messages tries it again, and the others wait for that one: a
    retry of each would be a storm. The database knows which one tries, for all processes; this one only
    remembers for which lines to ask.
    """

    def __init__(
        self, leases: LeaseStore, outbox: OutboxStore, senders: Mapping[Channel, ChannelSender], clock: Clock
    ) -> None:
        self._leases = leases
        self._outbox = outbox
        self._senders = senders
        self._clock = clock
        self._down_until: dict[Line, float] = {}

    async def run(self, lane: str) -> None:
        """Send until nothing of *lane* is due. Safe to call at any time, anywhere."""
        is_due = True
        while is_due:
            async with hold(self._leases, lane_key(lane)) as lease:
                if lease is None:
                    return
                try:
                    # Begun and sent in one go: what is marked as being sent does not wait for a thread.
                    while await asyncio.to_thread(self._send_next, lease, lane):
                        pass
                except LeaseLost:
                    log.warning("deliver.lease_lost", lane=lane)
                    return
            is_due = await asyncio.to_thread(self._outbox.is_due, lane)

    def _send_next(self, lease: Lease, lane: str) -> bool:
        """Send the lane's first message; False if none is due."""
        message = self._outbox.start_sending(lease, lane)
        if message is None:
            return False
        if self._may_be_down(message) and self._outbox.wait_for_line(lease, message):
            return False
        self._send(lease, message)
        return True

    def _send(self, lease: Lease, message: OutboundMessage) -> None:
        started = self._clock.monotonic()
        entry = log.bind(outbox=message.id, channel=message.channel, attempt=message.attempts)
        try:
            self._senders[message.channel].send(message)
        except ProviderUnavailable as error:
            if self._is_too_old(message):
                self._outbox.mark_failed(lease, message, error.reason)
                entry.error("deliver.given_up", reason=error.reason)
                OUTBOX.inc(channel=message.channel, state="failed")
                return
            delay_s = back_off_s(message.attempts)
            self._postpone(lease, message, error, delay_s)
            OUTBOX.inc(channel=message.channel, state="postponed")
            entry.warning("deliver.postponed", reason=error.reason, delay_s=round(delay_s, 2))
        except ProviderRejected as error:
            self._outbox.mark_failed(lease, message, error.reason)
            OUTBOX.inc(channel=message.channel, state="failed")
            entry.error("deliver.failed", reason=error.reason)
        else:
            self._outbox.mark_sent(lease, message)
            took_s = self._clock.monotonic() - started
            OUTBOX.inc(channel=message.channel, state="sent")
            SEND_SECONDS.observe(took_s, channel=message.channel)
            entry.info("deliver.sent", ms=round(took_s * 1000, 1))
            self._note_up(message)

    def _postpone(
        self, lease: Lease, message: OutboundMessage, error: ProviderUnavailable, delay_s: float
    ) -> None:
        if not isinstance(error, LineDown):
            self._outbox.postpone(lease, message, delay_s)
            return
        self._down_until[_line(message)] = self._clock.monotonic() + delay_s
        self._outbox.postpone_line(lease, message, delay_s, GIVE_UP_AFTER)

    def _may_be_down(self, message: OutboundMessage) -> bool:
        # One that is too old finds out by itself, to be given up.
        down_until = self._down_until.get(_line(message), 0.0)
        return self._clock.monotonic() < down_until and not self._is_too_old(message)

    def _note_up(self, message: OutboundMessage) -> None:
        """The line carries: what waited for it leaves with the next sweep."""
        was_down = self._down_until.pop(_line(message), None) is not None
        # Another process may have known that it was down.
        if message.channel is Channel.WHATSAPP and (was_down or message.attempts > 1):
            self._outbox.wake_tenant(message.tenant_id)

    def _is_too_old(self, message: OutboundMessage) -> bool:
        return self._clock.now() - message.committed_at > GIVE_UP_AFTER


def _line(message: OutboundMessage) -> Line:
    return message.tenant_id, message.channel


def back_off_s(attempts: int) -> float:
    """How long to wait after *attempts* attempts: doubled each time up to a limit, half of it jitter."""
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(attempts - 1, 10))
    # Jitter keeps many lanes from trying together; it guards no secret.
    return longest * random.uniform(0.5, 1.0)  # noqa: S311

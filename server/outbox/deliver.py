"""Sends committed messages, a lane at a time, and records what became of each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta

import structlog

from server.domain.conversations import Lease
from server.domain.messages import Channel, OutboundMessage
from server.errors import LeaseLost, ProviderRejected, ProviderUnavailable
from server.leases import hold
from server.ports.clock import Clock
from server.ports.messaging import ChannelSender
from server.ports.store import LeaseStore, OutboxStore

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
# After this long an answer would puzzle the guest more than help; staff take over.
GIVE_UP_AFTER = timedelta(hours=12)

log = structlog.get_logger(__name__)


class Deliverer:
    """First in, first out within a lane: whoever has the lane's lease sends its messages."""

    def __init__(
        self, leases: LeaseStore, outbox: OutboxStore, senders: Mapping[Channel, ChannelSender], clock: Clock
    ) -> None:
        self._leases = leases
        self._outbox = outbox
        self._senders = senders
        self._clock = clock

    async def run(self, lane: str) -> None:
        """Send until nothing of *lane* is due. Safe to call at any time, anywhere."""
        is_due = True
        while is_due:
            async with hold(self._leases, f"outbox:{lane}") as lease:
                if lease is None:
                    return
                try:
                    await self._send_all(lease, lane)
                except LeaseLost:
                    log.warning("deliver.lease_lost", lane=lane)
                    return
            is_due = await asyncio.to_thread(self._outbox.is_due, lane)

    async def _send_all(self, lease: Lease, lane: str) -> None:
        while True:
            message = await asyncio.to_thread(self._outbox.start_sending, lease, lane)
            if message is None:
                return
            await asyncio.to_thread(self._send, lease, message)

    def _send(self, lease: Lease, message: OutboundMessage) -> None:
        started = self._clock.monotonic()
        entry = log.bind(outbox=message.id, channel=message.channel, attempt=message.attempts)
        try:
            self._senders[message.channel].send(message)
        except ProviderUnavailable as error:
            if self._clock.now() - message.committed_at > GIVE_UP_AFTER:
                self._outbox.mark_failed(lease, message, error.reason)
                entry.error("deliver.given_up", reason=error.reason)
                return
            delay_s = back_off_s(message.attempts)
            self._outbox.postpone(lease, message, delay_s)
            entry.warning("deliver.postponed", reason=error.reason, delay_s=round(delay_s, 2))
        except ProviderRejected as error:
            self._outbox.mark_failed(lease, message, error.reason)
            entry.error("deliver.failed", reason=error.reason)
        else:
            self._outbox.mark_sent(lease, message)
            entry.info("deliver.sent", ms=round((self._clock.monotonic() - started) * 1000, 1))


def back_off_s(attempts: int) -> float:
    """How long to wait after *attempts* attempts: doubled each time up to a limit, half of it jitter."""
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(attempts - 1, 10))
    # Jitter keeps many lanes from trying together; it guards no secret.
    return longest * random.uniform(0.5, 1.0)  # noqa: S311

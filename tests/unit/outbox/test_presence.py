"""The typing indicator: shown at once, kept up, never in the way, and ended when a turn breaks off."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from server.domain.conversations import Turn
from server.domain.messages import Channel
from server.errors import ProviderUnavailable
from server.outbox.presence import Presence
from server.ports.messaging import PresenceState
from tests.fakes.senders import FakePresence
from tests.support.turns import a_turn


def a_whatsapp_turn() -> Turn:
    return replace(a_turn("Hello"), channel=Channel.WHATSAPP, reply_to="1@lid")


class CountingPresence(FakePresence):
    """Tells when it has been shown so often."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times
        self._loop = asyncio.get_running_loop()
        self.reached = asyncio.Event()

    def show(self, tenant_id: str, to: str, state: PresenceState) -> None:
        super().show(tenant_id, to, state)
        if len(self.shown) == self._times:
            self._loop.call_soon_threadsafe(self.reached.set)


async def test_it_is_kept_up_while_the_turn_runs() -> None:
    sender = CountingPresence(times=4)
    async with Presence(sender, refresh_s=0.001).composing(a_whatsapp_turn()):
        await asyncio.wait_for(sender.reached.wait(), 10)
    assert {state for _, _, state in sender.shown} == {PresenceState.COMPOSING}


async def test_it_is_shown_before_a_quick_turn_ends() -> None:
    sender = FakePresence()
    async with Presence(sender).composing(a_whatsapp_turn()):
        pass
    assert sender.shown == [("1", "1@lid", PresenceState.COMPOSING)]


async def test_a_turn_that_breaks_off_ends_it() -> None:
    sender = FakePresence()
    with pytest.raises(RuntimeError):
        async with Presence(sender).composing(a_whatsapp_turn()):
            raise RuntimeError("broken")
    assert [state for _, _, state in sender.shown] == ["composing", "paused"]


async def test_an_outage_is_not_the_turns_business() -> None:
    sender = FakePresence()
    sender.outage = ProviderUnavailable("whatsapp", "HTTP 503")
    async with Presence(sender).composing(a_whatsapp_turn()):
        pass


async def test_a_chat_client_sees_none() -> None:
    sender = FakePresence()
    async with Presence(sender).composing(a_turn("Hello")):
        pass
    assert sender.shown == []

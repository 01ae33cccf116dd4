"""The phone network as a whole: an account, its REST API, and calls to its numbers.

async with phone_network(account, {"https://desk.example": "http://127.0.0.1:5000",
                                   "wss://desk.example": "ws://127.0.0.1:5050"}) as network:
    caller = network.dial("+97231234567", from_="+972501234567")
    await caller.connected()
    await caller.listens()
    question = await caller.say("Do you have parking?")
    first_sound = await caller.hears(since=question.quiet_at)
    await caller.hang_up()
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from simulators.twilio.account import Account, Recording
from simulators.twilio.call import Call, Exchange
from simulators.twilio.caller import Caller
from simulators.twilio.handset import Handset
from simulators.twilio.rest import serve_rest
from simulators.twilio.routes import Routes, Signer, Webhooks

WEBHOOK_TIMEOUT_S = 15.0


class PhoneNetwork:
    """Places calls; ``calls`` has all of them by their CallSid, ``api_url`` is the REST API's base URL."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.api_url = exchange.api_url
        self.calls: dict[str, Call] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []

    def dial(self, to: str, *, from_: str, handset: Handset | None = None) -> Caller:
        """Someone dials *to*; returns at once, while it rings.

        Args:
            handset: what they speak into and listen to; by default a scripted caller's.

        Raises:
            KeyError: the account has no such number.
        """
        call = Call(self.exchange, self.exchange.account.numbers[to], to, from_, handset or Handset())
        self.calls[call.sid] = call
        run = asyncio.create_task(call.run(), name=f"call {call.sid}")
        self._running.add(run)
        run.add_done_callback(self._over)
        return Caller(call, run)

    async def close(self) -> None:
        """End all calls as callers who hang up.

        Raises:
            SimulatorLimit: a call needed something that the simulator cannot do.
        """
        for call in self.calls.values():
            call.hang_up("the network")
        if self._running:
            await asyncio.wait(self._running)
        if self._faults:
            raise self._faults[0]

    def _over(self, run: asyncio.Task[None]) -> None:
        self._running.discard(run)
        if not run.cancelled() and (fault := run.exception()) is not None:
            self._faults.append(fault)


@asynccontextmanager
async def phone_network(
    account: Account,
    routes: Mapping[str, str] | None = None,
    *,
    webhook_timeout_s: float = WEBHOOK_TIMEOUT_S,
    confidence: float = 0.93,
    api_port: int = 0,
) -> AsyncIterator[PhoneNetwork]:
    """A network for the time of the block; all calls end with it.

    Args:
        routes: where public origins lead; see ``routes.Routes``.
        webhook_timeout_s: how long a webhook may take.
        confidence: of ``SpeechResult``.
        api_port: of the REST API on 127.0.0.1; 0 takes a free one.
    """
    signer, leads = Signer(account.auth_token), Routes(routes or {})
    webhooks = Webhooks(signer, leads, webhook_timeout_s)
    calls: dict[str, Call] = {}
    recordings: dict[str, Recording] = {}
    async with serve_rest(account, calls, recordings, api_port) as api_url:
        network = PhoneNetwork(Exchange(account, webhooks, leads, signer, recordings, api_url, confidence))
        network.calls = calls
        try:
            yield network
        finally:
            try:
                await network.close()
            finally:
                await webhooks.close()

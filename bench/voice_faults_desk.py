"""A desk whose providers, database or process can be struck while calls are on it, and what it has said."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field

import httpx2
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.scratch import open_engine
from bench.voice_desk import PACE, Simulated, VoiceDesk, running_desk, simulated_providers
from bench.voice_faults_call import Around
from bench.voice_faults_plan import Plan, Question, Who, known_utterances, model_rules
from bench.voice_hearing import Ears
from server.store.models import OutboxRow, TenantRow
from server.store.tenants import to_tenant
from server.voice.lines import greeting
from simulators.lab import wait_until
from simulators.twilio.network import PhoneNetwork, phone_network

# A second model takes over where the first one is left alone, as an installation would have it.
_FALLBACK = {"AI_FALLBACK_MODELS": "gpt-4.1-mini"}
_DOOR_TIMEOUT_S = 15.0
_WARM_TIMEOUT_S = 90.0
_LOCKED_S = 5.0


@dataclass
class StruckDesk:
    """A running desk and its providers.

    Args:
        url: of its database.
    """

    desk: VoiceDesk
    providers: Simulated
    url: str
    ears: Ears
    _locks: list[sqlite3.Connection] = field(default_factory=list)

    def learn(self, plans: Sequence[Plan]) -> None:
        """Hear and answer what is asked in *plans*; all is well again."""
        self.providers.speech.control(known=known_utterances(plans), final_ms=PACE.final_ms)
        self.providers.voice.control(first_ms=PACE.voice_ms, speed=4)
        self.providers.model.control(
            rules=model_rules(plans),
            latency_first_token_ms=PACE.first_token_ms,
            tokens_per_second=1000 / PACE.token_ms,
        )

    def network(self) -> AbstractAsyncContextManager[PhoneNetwork]:
        """The phone network that its callers are on."""
        return phone_network(self.desk.account, self.desk.routes)

    def around(self, plan: Plan, door: httpx2.AsyncClient) -> Around:
        """What the call of *plan* needs to know."""

        async def strike() -> None:
            await asyncio.to_thread(self.strike, plan)

        async def wait(moment: str, question: Question) -> None:
            answer = await door.get(self.providers.model.requests_url, params={moment: question.mark})
            answer.raise_for_status()

        return Around(
            strike=strike,
            asked=lambda question: wait("asked", question),
            worded=lambda question: wait("told", question),
            ears=self.ears,
        )

    def strike(self, plan: Plan) -> None:
        """Let the fault of *plan* happen."""
        strikes: dict[Who, Callable[[], None]] = {
            Who.SPEECH: lambda: self.providers.speech.trouble(**plan.trouble),
            Who.VOICE: lambda: self.providers.voice.trouble(**plan.trouble),
            Who.MODEL: lambda: self.providers.model.trouble(**plan.trouble),
            Who.PROCESS: lambda: os.kill(self.desk.realtime.pid, signal.SIGKILL),
            Who.DATABASE: self._lock,
        }
        strikes[plan.cell.who]()

    def mend(self) -> None:
        """The database is free and the process runs again, with its fixed lines ready."""
        while self._locks:
            self._locks.pop().close()
        realtime = self.desk.realtime
        if realtime.is_running:
            return
        realtime.kill()
        self.providers.voice.control(first_ms=PACE.voice_ms, speed=4)
        realtime.start()
        wait_until(self.desk.is_warm, _WARM_TIMEOUT_S, "the voice to have the desk's own lines ready")

    def log(self) -> list[str]:
        """All that callers were told."""
        with open_engine(self.url) as engine, engine.connect() as connection:
            return [str(text) for text in connection.execute(select(OutboxRow.text)).scalars()]

    def _lock(self) -> None:
        """Take the database's write lock, as a writer that has stopped in the middle would."""
        path = self.url.removeprefix("sqlite:///")
        # A turn that is being committed at this moment is waited for.
        connection = sqlite3.connect(path, timeout=_LOCKED_S, isolation_level=None, check_same_thread=False)
        self._locks.append(connection)
        connection.execute("BEGIN IMMEDIATE")


@contextmanager
def struck_desk() -> Iterator[StruckDesk]:
    """A desk on SQLite with providers of its own, running."""
    with simulated_providers() as providers, running_desk("sqlite", providers, _FALLBACK) as desk:
        yield StruckDesk(desk, providers, desk.database, Ears(_greeting(desk.database)))


def _greeting(url: str) -> str:
    with open_engine(url) as engine, Session(engine) as session:
        return greeting(to_tenant(session.execute(select(TenantRow)).scalars().one()).settings, "en")


def door_client() -> httpx2.AsyncClient:
    """For the simulators' control doors."""
    return httpx2.AsyncClient(timeout=_DOOR_TIMEOUT_S, trust_env=False)

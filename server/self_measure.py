"""What a running desk lets itself be timed at; see `server.channels.benchmark`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import count

from cachetools import TTLCache

from server.conversation.gate import check_reply
from server.desk import Desk
from server.domain.conversations import Turn, lone_turn
from server.domain.knowledge import Document, Passage
from server.domain.messages import Channel
from server.domain.model_calls import ModelCall
from server.domain.tenants import Tenant
from server.errors import ProviderUnavailable
from server.ports.ai import ChatLine, ModelEvent, ModelRequest

PATIENCE_S = 20.0
TENANT_KEPT_S = 60

_SOURCE = "Breakfast is served from 7:30 to 10:30 and costs ₪65 a person. It is not served on Yom Kippur."
_SAMPLE = "Breakfast is from 7:30 to 10:30 [p1]. It costs ₪65 a person, and is not served on Yom Kippur. [p1]"


class SelfMeasure:
    """Keeps the ``Measured`` port. Nothing is saved but what a call to a model costs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ports = desk.ports
        self._numbers = count()
        # What is timed is the step, not the reading of the business before it.
        self._tenants: TTLCache[str, Tenant] = TTLCache(100, TENANT_KEPT_S)

    def early_exit(self, tenant_id: str) -> None:
        """Answer a greeting."""
        self._desk.submit(self._desk.engine.answer(self._turn(tenant_id, "Hello"))).result(PATIENCE_S)

    def retrieval(self, tenant_id: str) -> None:
        """Look for the passages that answer a question that was not asked before."""
        self._desk.engine.look_up(self._turn(tenant_id, f"When is breakfast in room {next(self._numbers)}?"))

    def gate(self, tenant_id: str) -> None:
        """Check an answer with prices and times in it."""
        passage = Passage(Document("breakfast", "Breakfast", _SOURCE, "en"), 1.0)
        check_reply(_SAMPLE, self._turn(tenant_id, "When is breakfast?"), [passage], self._ports.clock.now())

    def database(self, tenant_id: str) -> None:  # noqa: ARG002 - the same for every tenant
        """Go to the database and back."""
        self._ports.check_store()

    def ping_model(self, tenant_id: str, timeout_s: float) -> None:
        """Ask the model for a word; the business pays.

        Raises:
            ProviderError: none came, or none in time.
        """
        if self._ports.models is None:
            raise ProviderUnavailable("model", "not configured")
        turn = self._turn(tenant_id, "ping")

        def account(call: ModelCall) -> None:
            self._desk.account(turn, call)

        lines = [ChatLine("user", "Answer with the one word: pong")]
        request = ModelRequest(lines, first_token_s=timeout_s, total_s=timeout_s, account=account)
        self._desk.submit(_first_word(self._ports.models.usual.stream(request))).result(timeout_s + 1)

    def _turn(self, tenant_id: str, text: str) -> Turn:
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            tenant = self._tenants[tenant_id] = self._ports.tenants.get(tenant_id)
        return lone_turn(tenant, Channel.CHAT, text, self._ports.clock.now())


async def _first_word(events: AsyncGenerator[ModelEvent, None]) -> None:
    async with aclosing(events):
        async for event in events:
            if isinstance(event, str):
                return

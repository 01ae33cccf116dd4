"""One request to the simulated model: how its answer leaves, token by token, and what goes wrong with it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators import openai_wire as wire
from simulators.http_server import Answer
from simulators.openai_answer import Said, forever, paced
from simulators.openai_behaviour import Behaviour, Record, question_in
from simulators.troubles import Kind, Trouble, Troubles


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is answered, by *behaviour*."""

    asked: wire.ChatRequest
    behaviour: Behaviour
    key: str
    answer: Answer
    record: Record
    troubles: Troubles
    news: Callable[[], None]

    def trouble(self, *kinds: Kind) -> Trouble | None:
        """What of *kinds* is to go wrong with it now."""
        found = self.troubles.met_by(self.record, [question_in(self.record.body)], kinds)
        if found is not None:
            self.record.trouble = found.kind
        return found

    async def slow_down(self) -> None:
        """Take the time of a slow one, once."""
        if self.record.trouble != "slow" and (slow := self.trouble("slow")) is not None:
            await asyncio.sleep(slow.slow_s)

    async def go_on(self) -> bool:
        """The next token is due: meet trouble; returns whether it may leave."""
        await self.slow_down()
        found = self.trouble("hang", "cut", "error")
        if found is None:
            return True
        if found.kind == "hang":
            await forever()
        if found.kind == "cut":
            self.record.outcome = "cut"
            self.answer.cut()
        return False

    def tick(self) -> None:
        """One more token leaves now."""
        record = self.record
        record.last_token_at = time.time()
        record.tokens_sent += 1
        if record.first_token_at is None:
            record.first_token_at = record.last_token_at
            self.news()


async def tell_stream(call: Call, said: Said, identity: dict[str, Any], headers: dict[str, str]) -> None:
    """Answer *call* token by token."""
    answer, record = call.answer, call.record
    answer.start_events(headers)
    deltas = said.deltas(identity["id"])
    async for place in paced(len(deltas), call.behaviour):
        if not place:
            role = {"role": "assistant", "content": None if said.calls else "", "refusal": None}
            answer.event(json.dumps(wire.chunk(identity, role)))
        if not await call.go_on():
            _break_off(call)
            return
        call.tick()
        answer.event(json.dumps(wire.chunk(identity, deltas[place])))
    if _is_cut(call):
        return
    record.outcome = "answered"
    answer.event(json.dumps(wire.chunk(identity, {}, said.finish_reason)))
    if call.asked.wants_usage:
        answer.event(json.dumps(wire.usage_chunk(identity, record.usage or {})))
    answer.event("[DONE]")
    answer.end_events()


async def tell_whole(call: Call, said: Said, identity: dict[str, Any], headers: dict[str, str]) -> None:
    """Answer *call* in one piece."""
    record = call.record
    async for _ in paced(len(said.deltas(identity["id"])), call.behaviour):
        if not await call.go_on():
            if record.outcome == "under_way":
                raise injected(500)
            return
        call.tick()
    if _is_cut(call):
        return
    record.outcome = "answered"
    # It all leaves at once.
    record.first_token_at = record.last_token_at
    call.answer.json(200, said.whole(identity, record.usage or {}), headers)


def _break_off(call: Call) -> None:
    """A stream ends in the middle: with an error in its place, where the connection stands."""
    if call.record.outcome == "under_way":
        call.record.outcome = "refused"
        call.answer.event(json.dumps(injected(500).body))
        call.answer.end_events()


def _is_cut(call: Call) -> bool:
    if call.behaviour.cut_after_tokens is None:
        return False
    call.record.outcome = "cut"
    call.answer.cut()
    return True


def injected(status: int) -> wire.Refusal:
    """What a request is answered that was told to fail with *status*."""
    if status == 429:
        message = "Rate limit reached for requests"
        wait = {"retry-after": "1", "retry-after-ms": "1000"}
        return wire.Refusal(status, message, kind="requests", code="rate_limit_exceeded", headers=wait)
    if status >= 500:
        return wire.Refusal(
            status, "The server had an error while processing your request.", kind="server_error"
        )
    return wire.Refusal(status, "The request was refused.")

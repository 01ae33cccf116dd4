"""One answer of the simulated model server: what it says, at what pace, and what it cost."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulators import openai_wire as wire
from simulators.openai_behaviour import Behaviour
from simulators.openai_scripts import calls_for, echo, grounded, reply_to, tokens
from simulators.openai_tools import ScriptedCall, fragments_of, parts_of

_CACHE_STEP = 128
_CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: words, one a token, or tool calls; never both."""

    words: Sequence[str]
    calls: Sequence[ScriptedCall]
    finish_reason: str

    def deltas(self, answer: str) -> list[dict[str, Any]]:
        """What a stream tells after its first chunk; *answer* makes ids of calls unlike those of others."""
        if self.calls:
            return list(fragments_of(self.calls, answer))
        return [{"content": word} for word in self.words]

    def whole(self, identity: dict[str, Any], usage: dict[str, Any]) -> dict[str, Any]:
        """The answer in one piece."""
        calls = parts_of(self.calls, identity["id"])
        text = None if calls else "".join(self.words)
        return wire.completion(identity, text, calls, self.finish_reason, usage)


def say(asked: wire.ChatRequest, behaviour: Behaviour) -> Said:
    """The answer to *asked*."""
    calls = calls_for(asked.lines, behaviour.rules, asked.tool_names)
    if not calls and asked.must_call:
        calls = [ScriptedCall(name=asked.tool_names[0])]
    if calls:
        return Said((), calls[: asked.most_calls], "tool_calls")
    words = tokens(_text(asked, behaviour))
    told = words[: asked.limit]
    return Said(told, (), "stop" if len(told) == len(words) else "length")


def _text(asked: wire.ChatRequest, behaviour: Behaviour) -> str:
    if behaviour.echo and (echoed := echo(asked.lines, behaviour.echo)):
        return echoed
    if behaviour.ground:
        return grounded(asked.lines)
    return reply_to(asked.lines, behaviour.rules, behaviour.reply)


async def paced(count: int, behaviour: Behaviour) -> AsyncIterator[int]:
    """The places of *count* tokens, at the speed and with the stops of *behaviour*.

    Each token has its time from the first on, so that late wake-ups do not add up.
    """
    loop = asyncio.get_running_loop()
    await asyncio.sleep(behaviour.latency_first_token_ms / 1000)
    if behaviour.hang == "first_token":
        await forever()
    began = loop.time()
    for place in range(count)[: behaviour.cut_after_tokens]:
        if behaviour.hang == "mid_stream" and place >= (count + 1) // 2:
            await forever()
        if behaviour.tokens_per_second:
            await asyncio.sleep(began + place / behaviour.tokens_per_second - loop.time())
        yield place


async def forever() -> None:
    """Hang."""
    await asyncio.Event().wait()


class PromptCache:
    """Which beginnings of prompts were sent before, in steps of 128 tokens as the API counts them."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, None] = OrderedDict()

    def cached(self, words: Sequence[str], at_least: int) -> int:
        """How many of *words* are cached, if *at_least* so many; they are from now on."""
        found = 0
        for length, beginning in _beginnings(words, at_least):
            found = length if beginning in self._known else found
            self._known[beginning] = None
            self._known.move_to_end(beginning)
        while len(self._known) > _CACHE_SIZE:
            self._known.popitem(last=False)
        return found


def _beginnings(words: Sequence[str], at_least: int) -> Iterator[tuple[int, int]]:
    """Lengths and fingerprints of the beginnings of *words*."""
    fingerprint, done = 0, 0
    for length in range(at_least, len(words) + 1, _CACHE_STEP):
        fingerprint = hash((fingerprint, tuple(words[done:length])))
        done = length
        yield length, fingerprint


def usage_of(prompt: Sequence[str], answer: Said, cached: int) -> dict[str, Any]:
    """The usage as the API tells it."""
    completion = len(answer.words) + sum(len(tokens(call.written)) for call in answer.calls)
    return {
        "prompt_tokens": len(prompt),
        "completion_tokens": completion,
        "total_tokens": len(prompt) + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
    }

"""Asks the chat API and the model, and reads what they say as it comes: ``python -m bench.asking``.

A process of its own. Reads a list of `Ask` as JSON from standard input and writes, for each, what was `Heard`
to standard output. The load is open: each question is asked at its time, over whatever connection is free or
a new one, however long the others take. Times are seconds since 1970, so that they can be held against what
the simulated model records on the same machine.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp
import uvloop

from bench.apart import run_apart

TIMEOUT_S = 30.0
# All is ready before the first question is due.
_LEAD_S = 0.5
_MARGIN_S = 2 * TIMEOUT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request.

    Attributes:
        key: tells its answer from all others.
        kind: what it is counted with.
        due_s: when, in seconds from the start.
        body: posted as JSON; None makes it a GET.
    """

    key: str
    kind: str
    due_s: float
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Heard:
    """What came of an `Ask`.

    ``status`` is 0 where nothing came in time. ``is_whole``: the answer came to its proper end. ``first_at``
    is when the first words of a stream were read; ``pieces`` counts them. ``shown`` is what a reader of a
    stream saw at any time, ``reply`` what it ended with; ``answer`` is the chat API's whole answer.
    """

    key: str
    kind: str
    sent_at: float
    ended_at: float = 0.0
    first_at: float | None = None
    status: int = 0
    is_whole: bool = False
    pieces: int = 0
    reply: str = ""
    shown: str = ""
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def took_ms(self) -> float:
        """From the request to the end of its answer."""
        return (self.ended_at - self.sent_at) * 1000

    @property
    def source(self) -> str:
        """What answered; empty if nothing did."""
        return str(self.answer.get("source", ""))

    @property
    def is_proper(self) -> bool:
        """A guest got an answer."""
        return self.status == 200 and self.is_whole and bool(self.reply.strip())


def ask_all(asks: Sequence[Ask], label: str) -> list[Heard]:
    """Ask in a process of its own, with a bar on standard error; in the order in which *asks* are given.

    Raises:
        RuntimeError: the process failed; what it said stands on standard error.
    """
    seconds = max(ask.due_s for ask in asks) + _LEAD_S
    found = run_apart("bench.asking", [asdict(ask) for ask in asks], seconds, _MARGIN_S, label)
    return [Heard(**one) for one in found]


async def ask_here(asks: Sequence[Ask]) -> list[Heard]:
    """Ask in this process."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=75)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        start = asyncio.get_running_loop().time() + _LEAD_S
        return await asyncio.gather(*(_ask(session, ask, start + ask.due_s) for ask in asks))


async def _ask(session: aiohttp.ClientSession, ask: Ask, due: float) -> Heard:
    await asyncio.sleep(due - asyncio.get_running_loop().time())
    heard = Heard(key=ask.key, kind=ask.kind, sent_at=time.time())
    method = "GET" if ask.body is None else "POST"
    try:
        async with session.request(method, ask.url, headers=ask.headers, json=ask.body) as response:
            heard.status = response.status
            if response.content_type == "text/event-stream":
                await _read_stream(response.content, heard)
            else:
                _read_whole(await response.read(), heard)
    except (aiohttp.ClientError, TimeoutError):
        heard.is_whole = False
    heard.ended_at = time.time()
    return heard


def _read_whole(content: bytes, heard: Heard) -> None:
    try:
        answer = json.loads(content)
    except ValueError:
        # As a guest would see it.
        heard.reply = content.decode(errors="replace")
    else:
        heard.answer = answer if isinstance(answer, dict) else {}
        heard.reply = str(heard.answer.get("reply", ""))
    heard.is_whole = True


async def _read_stream(content: aiohttp.StreamReader, heard: Heard) -> None:
    async for event, data in _events(content):
        if event == "done":
            heard.answer = json.loads(data)
            heard.reply = str(heard.answer.get("reply", ""))
            heard.is_whole = True
        elif event == "message":
            _read_chunk(data, heard)
        elif event in ("token", "replace", "error"):
            told = json.loads(data)
            _take_words(str(told.get("text", told.get("error", ""))), heard)


def _read_chunk(data: str, heard: Heard) -> None:
    """An event of the model's own: it has no name."""
    if data == "[DONE]":
        heard.reply, heard.is_whole = heard.shown, True
        return
    for choice in json.loads(data)["choices"]:
        _take_words(choice["delta"].get("content") or "", heard)


def _take_words(words: str, heard: Heard) -> None:
    if not words:
        return
    if heard.first_at is None:
        heard.first_at = time.time()
    heard.pieces += 1
    heard.shown += words


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, str]]:
    """Name and data of each server-sent event."""
    name, data = "message", ""
    async for line in content:
        text = line.decode().rstrip("\r\n")
        if not text:
            if data:
                yield name, data
            name, data = "message", ""
        elif text.startswith("event:"):
            name = text.removeprefix("event:").strip()
        elif text.startswith("data:"):
            data += text.removeprefix("data:").removeprefix(" ")


def main() -> None:
    """Read questions from standard input, ask them, write what was heard to standard output."""
    asks = [Ask(**wish) for wish in json.load(sys.stdin)]
    # What lives now lives to the end; a collection would stop all readers.
    gc.freeze()
    gc.disable()
    json.dump([asdict(heard) for heard in uvloop.run(ask_here(asks))], sys.stdout)


if __name__ == "__main__":
    main()

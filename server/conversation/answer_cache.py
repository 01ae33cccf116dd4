"""Answers that were given before: the same first question to the same business is not put to the model again.

Kept is only what may be told to anybody: the gate let it out, it was made without a word of history,
everything checkable in it stands in the documents that it cites or in the business's facts, and neither
question nor answer turns on the hour or on who asks.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from threading import RLock
from typing import Any

import structlog
from cachetools import LRUCache
from dogpile.cache import make_region
from dogpile.cache.api import NO_VALUE
from dogpile.cache.region import CacheRegion

from server.conversation.prompts import PROMPT_VERSION, business_facts
from server.domain.conversations import Reply, ReplySource, Turn
from server.domain.knowledge import Citation, Passage
from server.knowledge.claims import Kind, claims, supported
from server.knowledge.moments import asked_moment, asks_if_open
from server.knowledge.question import names_something
from server.knowledge.reading import canonical
from server.observability.record import record_lookup

CACHE = "answers"
# What tells of the guest who asks.
_PRIVATE = frozenset({Kind.PHONE, Kind.EMAIL, Kind.CODE, Kind.LINK})
# Redis answers at once or is done without.
_REDIS_TIMEOUT_S = 0.2

log = structlog.get_logger(__name__)

Make = Callable[[], Awaitable[Reply | None]]


def answer_key(turn: Turn, language: str, model: str, now: datetime) -> str | None:
    """What an answer to *turn* is kept under; None if the answer is for this guest or this moment alone."""
    settings = turn.tenant.settings
    question = turn.question
    local = now.astimezone(settings.zone)
    if turn.history or turn.offered or not turn.wishes.uses_knowledge or not names_something(question):
        return None
    if any(claim.kind in _PRIVATE for claim in claims(question)):
        return None
    if asks_if_open(question) or asked_moment(question, local) is not None:
        return None
    parts = (
        turn.tenant.id,
        turn.channel,
        language,
        model,
        PROMPT_VERSION,
        turn.tenant.knowledge_version,
        hashlib.sha256(repr(settings).encode()).hexdigest(),
        f"{local:%Y-%m-%d}",
        " ".join(canonical(question).rstrip(" .!?").split()),
    )
    return "answer:" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def may_be_kept(reply: Reply, turn: Turn, passages: Sequence[Passage]) -> bool:
    """Whether *reply*, made from *passages*, may be told to another guest who asks the same."""
    if reply.source is not ReplySource.MODEL or reply.handover:
        return False
    cited = {citation.document for citation in reply.citations}
    documents = [passage.document for passage in passages if passage.document.id in cited]
    told = [text for document in documents for text in (document.title, document.body)]
    return claims(reply.text) <= supported([*told, *business_facts(turn.tenant.settings)])


class AnswerCache:
    """Keeps answers in memory, or in Redis for all processes; one that is being made is made once.

    A cache that cannot be reached is done without. Belongs to one event loop.

    Args:
        kept_s: how long an answer is kept.
        size: in memory the answers that were used last, so many; Redis has a limit of its own.
    """

    def __init__(self, kept_s: float, size: int, redis_url: str | None = None) -> None:
        self._is_remote = redis_url is not None
        self._region = _region(kept_s, size, redis_url)
        self._making: dict[str, asyncio.Future[Reply | None]] = {}

    async def get_or_make(self, key: str, make: Make) -> Reply | None:
        """The answer kept under *key*, or what *make* makes, which calls `keep` for what may be shared.

        Those who ask while it is being made wait for it. What may not be shared each makes for themselves.
        """
        making = self._making.get(key)
        if making is not None:
            # Waited for, not awaited: whoever gives up waiting takes nothing from the others.
            await asyncio.wait({making})
            shared = making.result()
            return await make() if shared is None else _as_hit(shared)
        making = self._making[key] = asyncio.get_running_loop().create_future()
        try:
            kept = await self._get(key)
            if kept is None:
                return await make()
            making.set_result(kept)
            return kept
        finally:
            del self._making[key]
            if not making.done():
                making.set_result(None)

    async def keep(self, key: str, reply: Reply) -> None:
        """Keep *reply*; those who wait for it are given it."""
        making = self._making.get(key)
        if making is not None and not making.done():
            making.set_result(reply)
        await self._call(lambda: self._region.set(key, _to_json(reply, time.time())))

    async def _get(self, key: str) -> Reply | None:
        kept = await self._call(lambda: self._region.get(key))
        if not isinstance(kept, dict):
            record_lookup(CACHE, None)
            return None
        record_lookup(CACHE, max(0.0, time.time() - kept["at"]))
        return _from_json(kept)

    async def _call(self, function: Callable[[], Any]) -> Any:
        try:
            return await asyncio.to_thread(function) if self._is_remote else function()
        except Exception as error:  # noqa: BLE001 - whatever the cache's library raises, the guest is answered
            log.warning("cache.unreachable", cache=CACHE, error=type(error).__name__)
            return NO_VALUE


class _Lru(LRUCache[str, Any]):
    """What dogpile keeps values in: a dictionary that forgets what was used least, for several threads."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._lock = RLock()

    def get(self, key: str, default: Any = None) -> Any:
        with self._lock:
            return super().get(key, default)

    def __setitem__(self, key: str, value: Any) -> None:
        with self._lock:
            super().__setitem__(key, value)


def _region(kept_s: float, size: int, redis_url: str | None) -> CacheRegion:
    # JSON, never pickle: whoever can write to Redis must not be able to run code here.
    region = make_region(serializer=lambda value: json.dumps(value).encode(), deserializer=json.loads)
    if redis_url is None:
        return make_region().configure(
            "dogpile.cache.memory", expiration_time=kept_s, arguments={"cache_dict": _Lru(size)}
        )
    return region.configure(
        "dogpile.cache.redis",
        expiration_time=kept_s,
        arguments={
            "url": redis_url,
            "redis_expiration_time": int(kept_s) + 1,
            "socket_timeout": _REDIS_TIMEOUT_S,
            "socket_connect_timeout": _REDIS_TIMEOUT_S,
        },
    )


def _to_json(reply: Reply, at: float) -> dict[str, Any]:
    return {
        "at": at,
        "text": reply.text,
        "language": reply.language,
        "citations": [asdict(citation) for citation in reply.citations],
        "quick_replies": list(reply.quick_replies),
        "model": reply.model,
        "prompt_version": reply.prompt_version,
    }


def _from_json(kept: Mapping[str, Any]) -> Reply:
    return Reply(
        text=kept["text"],
        source=ReplySource.CACHE,
        language=kept["language"],
        citations=[Citation(**citation) for citation in kept["citations"]],
        quick_replies=kept["quick_replies"],
        model=kept["model"],
        prompt_version=kept["prompt_version"],
    )


def _as_hit(reply: Reply) -> Reply:
    return replace(reply, source=ReplySource.CACHE, timings_ms={}, steps_ms={})

"""Only what may be told to anybody is kept, and it is made once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from server.conversation.answer_cache import AnswerCache, answer_key, may_be_kept
from server.domain.conversations import Reply, ReplySource, Turn
from server.domain.knowledge import Citation
from server.domain.messages import Channel
from tests.support.redis import redis_server
from tests.support.turns import NOW, a_passage, a_turn


def key_of(turn: Turn, language: str = "en", model: str = "gpt-4o-mini") -> str | None:
    return answer_key(turn, language, model, NOW)


def a_reply(text: str = "Breakfast is from 7:30.", **changes: Any) -> Reply:
    made = Reply(
        text=text, source=ReplySource.MODEL, language="en", citations=[Citation("doc", "Breakfast", 0.9)]
    )
    return replace(made, **changes)


BREAKFAST = a_passage("Breakfast is from 7:30 to 10:30.", "Breakfast")


@pytest.mark.parametrize(
    "question", ["2", "is it free?", "the second one", "כמה זה עולה?", "how much?", "ok"]
)
def test_what_cannot_be_understood_by_itself_is_never_found(question: str) -> None:
    assert key_of(a_turn(question)) is None


@pytest.mark.parametrize(
    "question",
    [
        "Are you open now?",
        "Is the pool open?",
        "הבריכה פתוחה?",
        "Is the pool open today?",
        "Can I have breakfast tomorrow at 8?",
        "מתי נסגרת הבריכה היום?",
        "Did you get my mail from dana@example.com about the parking?",
        "I am 050-1234567, is there parking?",
        "My booking is HX4711: is parking included?",
    ],
)
def test_what_turns_on_the_hour_or_on_who_asks_is_never_found(question: str) -> None:
    assert key_of(a_turn(question)) is None


@pytest.mark.parametrize("question", ["When is breakfast?", "When does the pool open?", "מתי ארוחת הבוקר?"])
def test_what_is_the_same_at_every_hour_may_be_found(question: str) -> None:
    assert key_of(a_turn(question)) is not None


def test_a_question_with_words_before_it_is_never_found() -> None:
    assert key_of(a_turn("Is breakfast included?", guest_said=["Hello"])) is None
    assert key_of(replace(a_turn("Is breakfast included?"), offered=["a", "b"])) is None


@pytest.mark.parametrize(
    "same", ["is breakfast included", "Is  breakfast included ?", "IS BREAKFAST INCLUDED?!"]
)
def test_the_same_question_in_other_spelling_is_the_same(same: str) -> None:
    assert key_of(a_turn(same)) == key_of(a_turn("Is breakfast included?")) != None  # noqa: E711


def test_whatever_an_answer_depends_on_makes_another_key() -> None:
    turn = a_turn("Is breakfast included?")
    other_tenant = replace(turn, tenant=replace(turn.tenant, id="2"))
    newer = replace(turn, tenant=replace(turn.tenant, knowledge_version=1))
    keys = [
        key_of(turn),
        key_of(a_turn("Is dinner included?")),
        key_of(turn, language="he"),
        key_of(turn, model="gpt-4o"),
        key_of(other_tenant),
        key_of(newer),
        key_of(a_turn("Is breakfast included?", facts=("Breakfast is free.",))),
        key_of(replace(turn, channel=Channel.WHATSAPP)),
        answer_key(turn, "en", "gpt-4o-mini", NOW + timedelta(days=1)),
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)


def test_an_answer_from_its_sources_may_be_kept() -> None:
    assert may_be_kept(a_reply(), a_turn("When is breakfast?"), [BREAKFAST])


def test_a_guests_claim_is_not_told_to_another_guest() -> None:
    turn = a_turn("We are 4 people with a dog, is breakfast included?")
    assert not may_be_kept(a_reply("For 4 people, yes."), turn, [BREAKFAST])


def test_the_time_of_day_is_not_told_later() -> None:
    assert not may_be_kept(a_reply("It is 06:05, breakfast begins at 7:30."), a_turn("When?"), [BREAKFAST])


@pytest.mark.parametrize("changes", [{"handover": True}, {"source": ReplySource.KNOWLEDGE}])
def test_only_answers_of_the_model_are_kept(changes: dict[str, Any]) -> None:
    assert not may_be_kept(a_reply(**changes), a_turn("When is breakfast?"), [BREAKFAST])


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> AnswerCache:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    return AnswerCache(kept_s=60, size=10, redis_url=url)


class Maker:
    """Makes answers, and counts them."""

    def __init__(self, cache: AnswerCache, key: str, *, is_kept: bool = True) -> None:
        self.made = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self._cache = cache
        self._key = key
        self._is_kept = is_kept

    async def __call__(self) -> Reply | None:
        self.made += 1
        await self.gate.wait()
        if self._is_kept:
            await self._cache.keep(self._key, a_reply())
        return a_reply()


async def test_what_was_kept_is_found_with_all_that_was_told(cache: AnswerCache) -> None:
    make = Maker(cache, "k1")
    first = await cache.get_or_make("k1", make)
    again = await cache.get_or_make("k1", make)
    assert make.made == 1
    assert first is not None
    assert again is not None
    assert (first.source, again.source) == (ReplySource.MODEL, ReplySource.CACHE)
    assert (again.text, again.citations) == (first.text, first.citations)


async def test_many_who_ask_at_once_get_one_answer(cache: AnswerCache) -> None:
    make = Maker(cache, "k2")
    make.gate.clear()
    asking = [asyncio.create_task(cache.get_or_make("k2", make)) for _ in range(20)]
    while not make.made:
        await asyncio.sleep(0)
    make.gate.set()
    replies = await asyncio.gather(*asking)
    assert make.made == 1
    assert {reply.text for reply in replies if reply is not None} == {a_reply().text}


async def test_what_is_not_kept_everybody_makes(cache: AnswerCache) -> None:
    make = Maker(cache, "k3", is_kept=False)
    make.gate.clear()
    asking = [asyncio.create_task(cache.get_or_make("k3", make)) for _ in range(5)]
    while not make.made:
        await asyncio.sleep(0)
    make.gate.set()
    assert all(reply is not None for reply in await asyncio.gather(*asking))
    assert make.made == 5


async def test_one_who_is_given_up_leaves_the_making_to_the_next() -> None:
    cache = AnswerCache(kept_s=60, size=10)
    make = Maker(cache, "k4")
    make.gate.clear()
    first = asyncio.create_task(cache.get_or_make("k4", make))
    while not make.made:
        await asyncio.sleep(0)
    second = asyncio.create_task(cache.get_or_make("k4", make))
    await asyncio.sleep(0)
    first.cancel()
    make.gate.set()
    reply = await second
    assert reply is not None
    assert make.made == 2


async def test_what_was_used_least_is_forgotten_first() -> None:
    cache = AnswerCache(kept_s=60, size=2)
    for key in ("a", "b"):
        await cache.get_or_make(key, Maker(cache, key))
    await cache.get_or_make("a", Maker(cache, "a"))
    await cache.get_or_make("c", Maker(cache, "c"))
    again = {key: Maker(cache, key) for key in ("a", "b")}
    for key in ("a", "b"):
        await cache.get_or_make(key, again[key])
    assert {key: make.made for key, make in again.items()} == {"a": 0, "b": 1}


async def test_an_answer_that_is_too_old_is_made_anew() -> None:
    cache = AnswerCache(kept_s=0, size=10)
    for _ in range(2):
        reply = await cache.get_or_make("k", Maker(cache, "k"))
        assert reply is not None
        assert reply.source is ReplySource.MODEL


async def test_a_redis_that_is_gone_is_done_without() -> None:
    cache = AnswerCache(kept_s=60, size=10, redis_url="redis://127.0.0.1:1/0")
    reply = await cache.get_or_make("k", Maker(cache, "k"))
    assert reply is not None
    assert reply.text == a_reply().text

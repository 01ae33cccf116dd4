"""Calls as the webhooks see them: there is always something to say, whatever failed behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import pytest

from server.domain.calls import Call, CallTurn
from server.domain.conversations import Reply
from server.errors import ProviderRejected, StoreUnavailable
from server.voice import telephone as telephone_module
from server.voice.lines import Line, line
from server.voice.telephone import FALLBACK_TURNS, Telephone, language_of
from tests.support.phone_lines import FakeAsking, a_call, a_reply


def submit(work: Coroutine[Any, Any, Reply]) -> Future[Reply]:
    """Run it now."""
    done: Future[Reply] = Future()
    try:
        done.set_result(asyncio.run(work))
    except Exception as error:  # noqa: BLE001 - as a loop in another thread would
        done.set_exception(error)
    return done


def never(work: Coroutine[Any, Any, Reply]) -> Future[Reply]:
    """A loop that hangs."""
    work.close()
    return Future()


@pytest.fixture
def asking() -> FakeAsking:
    return FakeAsking()


def made(asking: FakeAsking, run: Any = submit) -> Telephone:
    return Telephone(None, asking, run)  # type: ignore[arg-type]


def answered(telephone: Telephone, words: str) -> Reply:
    """The reply to *words*, which comes while the caller waits for it."""
    reply = telephone.answer(a_call(), FALLBACK_TURNS, words)
    assert reply is not None
    return reply


def test_words_are_answered_and_kept(asking: FakeAsking) -> None:
    asking.answers["When is breakfast?"] = a_reply("At seven.")
    reply = answered(made(asking), "When is breakfast?")
    (turn,) = asking.kept
    assert (turn.number, turn.words, turn.told) == (FALLBACK_TURNS, "When is breakfast?", "At seven.")
    assert reply.text == "At seven."
    assert turn.started_at <= turn.ended_at


def test_an_answer_that_fails_is_owned_up_to_and_staff_hear_of_it(asking: FakeAsking) -> None:
    asking.answers["מתי?"] = ProviderRejected("model", "no")
    reply = answered(made(asking), "מתי?")
    assert (reply.text, reply.handover, reply.reason) == (line(Line.SORRY, "he"), True, "answer_failed")
    assert asking.kept[0].reply == reply


def test_an_answer_that_does_not_come_is_not_waited_for(
    asking: FakeAsking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telephone_module, "ANSWER_WITHIN_S", 0.01)
    monkeypatch.setattr(telephone_module, "_KEEP_WITHIN_S", 0.01)
    reply = answered(made(asking, never), "When?")
    assert (reply.text, reply.reason) == (line(Line.SORRY, "en"), "answer_late")


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    asking: FakeAsking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(call: Call, turn: CallTurn) -> None:
        raise StoreUnavailable("the database is away")

    monkeypatch.setattr(asking, "record", refuse)
    assert answered(made(asking), "When?").text == "That is so."


async def test_a_log_that_hangs_holds_up_no_answer(
    asking: FakeAsking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(call: Call, turn: CallTurn) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asking, "record", hang)
    loop = asyncio.get_running_loop()
    telephone = made(asking, lambda work: asyncio.run_coroutine_threadsafe(work, loop))
    async with asyncio.timeout(2):
        reply = await asyncio.to_thread(telephone.answer, a_call(), FALLBACK_TURNS, "When?")
    assert reply is not None
    assert reply.text == "That is so."


def test_the_longest_that_a_caller_waits_for_an_answer_or_to_be_told_to_wait_is_a_second() -> None:
    # A silence of two seconds is the most there may be, and Twilio's recogniser has taken one of them.
    assert telephone_module.FIRST_WAIT_S + telephone_module._KEEP_WITHIN_S <= 1


def test_a_message_is_kept_with_its_recording_and_staff_hear_of_it(asking: FakeAsking) -> None:
    made(asking).message_left(a_call(), "https://api.twilio.com/RE1")
    (turn,) = asking.kept
    assert turn.words == "[https://api.twilio.com/RE1]"
    assert (turn.reply.handover, turn.reply.reason) == (True, "message_left")


@pytest.mark.parametrize(
    ("words", "known", "language"), [("שלום", "en", "he"), ("", "he", "he"), ("123", None, "en")]
)
def test_a_caller_is_spoken_to_as_they_speak_or_as_their_thread_is(
    words: str, known: str | None, language: str
) -> None:
    assert language_of(a_call(language=known), words) == language

"""From words to sentences: streamed, corrected where it has to be, taken up where it was cut."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from server.domain.conversations import Reply
from server.domain.events import Listener, Replace, Token
from server.voice.answer import Answer, Ask
from server.voice.frames import Outgoing
from server.voice.lines import Line, line
from server.voice.mouth import Mouth
from tests.fakes.speech import FakeTextToSpeech
from tests.support.phone_lines import a_reply

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def tts() -> FakeTextToSpeech:
    return FakeTextToSpeech()


@pytest.fixture
async def answer(tts: FakeTextToSpeech) -> Answer:
    async def send(_frame: str) -> None:
        await asyncio.sleep(0)

    now = asyncio.get_running_loop().time
    return Answer(1, "When?", "en", Mouth(tts, send, Outgoing("MZ1"), now), now, NOW)


def release(answer: Answer) -> None:
    answer.release(NOW, asyncio.get_running_loop().time())


def known(text: str) -> Ask:
    async def ask(_listen: Listener) -> Reply:
        return a_reply(text)

    return ask


async def test_every_sentence_of_a_long_answer_is_said(answer: Answer, tts: FakeTextToSpeech) -> None:
    sentences = [f"This is sentence number {number}." for number in range(1, 41)]

    async def ask(listen: Listener) -> Reply:
        for sentence in sentences:
            listen(Token(f"{sentence} "))
            # So slow that one is forgotten before the next is made.
            await asyncio.sleep(0.001)
        return a_reply(" ".join(sentences) + " ")

    answer.begin(ask)
    release(answer)
    await answer.said()
    assert len(tts.spoken) == len(sentences)
    assert answer.is_said
    assert answer.rest() == ""


async def test_nothing_is_heard_of_what_was_not_released(answer: Answer) -> None:
    answer.begin(known("Breakfast is at seven."))
    await asyncio.sleep(0.01)
    assert not answer.is_audible
    assert answer.rest() == "Breakfast is at seven."
    await answer.drop()


async def test_words_that_were_replaced_before_they_were_heard_are_not_said(
    answer: Answer, tts: FakeTextToSpeech
) -> None:
    async def ask(listen: Listener) -> Reply:
        listen(Token("It costs nothing at all. "))
        listen(Replace("It costs ten."))
        return a_reply("It costs ten.")

    answer.begin(ask)
    release(answer)
    await answer.said()
    assert [text for text, _ in tts.spoken] == ["It costs ten."]


async def test_words_that_were_heard_and_replaced_are_corrected(
    answer: Answer, tts: FakeTextToSpeech
) -> None:
    async def ask(listen: Listener) -> Reply:
        listen(Token("It costs nothing at all. "))
        while not answer.is_audible:
            await asyncio.sleep(0)
        return a_reply("It costs ten.")

    answer.begin(ask)
    release(answer)
    await answer.said()
    assert [text for text, _ in tts.spoken] == [
        "It costs nothing at all.",
        line(Line.LET_ME_CORRECT, "en"),
        "It costs ten.",
    ]


async def test_a_hushed_answer_goes_on_with_what_was_not_heard(answer: Answer, tts: FakeTextToSpeech) -> None:
    answer.begin(known("One is here for you. Two is here for you."))
    release(answer)
    await answer.said()
    answer.hush()
    tts.spoken.clear()
    answer.take_up(["is here for you.", "Two is here for you."])
    await answer.said()
    assert [text for text, _ in tts.spoken] == ["is here for you.", "Two is here for you."]


async def test_moments_count_from_the_callers_last_sound(answer: Answer) -> None:
    answer.moments["final_words"] = asyncio.get_running_loop().time() - 9
    answer.begin(known("At seven."))
    answer.release(NOW, asyncio.get_running_loop().time() - 0.5)
    await answer.said()
    steps = answer.steps_ms()
    # Foreseen before it.
    assert steps["final_words"] == 0
    assert 500 <= steps["decided"] <= steps["first_audio"]


async def test_dropped_it_leaves_no_task(answer: Answer) -> None:
    async def ask(_listen: Listener) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError

    answer.begin(ask)
    await asyncio.sleep(0)
    await answer.drop()
    assert asyncio.all_tasks() == {asyncio.current_task()}

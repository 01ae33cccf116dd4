"""Fixed lines are said at once, in the pieces that an answer says them in."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from server.domain.tenants import TenantSettings
from server.errors import ProviderUnavailable
from server.voice.lines import Line, line, prepared_lines
from server.voice.mouth import as_sentence
from server.voice.prepared import PreparedVoice
from server.voice.sentences import SentenceSplitter
from tests.fakes.speech import FakeTextToSpeech

HOUSE = TenantSettings(name="Harbour House", ai_disclosure=True)


async def audio(voice: PreparedVoice, text: str, language: str) -> bytes:
    return b"".join([piece async for piece in voice.speak(text, language)])


@pytest.fixture
def tts() -> FakeTextToSpeech:
    return FakeTextToSpeech()


async def test_every_line_that_the_desk_says_is_ready(tts: FakeTextToSpeech) -> None:
    voice = PreparedVoice(tts)
    await voice.prepare(prepared_lines(HOUSE))
    tts.spoken.clear()
    for text, language in prepared_lines(HOUSE):
        splitter = SentenceSplitter()
        for piece in [*splitter.feed(text), *splitter.finish()]:
            made = as_sentence(piece, language)
            assert await audio(voice, made.spoken, made.language)
    assert tts.spoken == []


async def test_a_line_is_made_once(tts: FakeTextToSpeech) -> None:
    voice = PreparedVoice(tts)
    lines = [(line(Line.GOODBYE, "en"), "en")]
    await voice.prepare([*lines, *lines])
    await voice.prepare(lines)
    assert len(tts.spoken) == len(set(tts.spoken))


async def test_a_line_that_could_not_be_made_is_made_when_it_is_said(tts: FakeTextToSpeech) -> None:
    voice = PreparedVoice(tts)
    tts.outages = [("middle", ProviderUnavailable("tts", "gone"))]
    await voice.prepare([("Goodbye!", "en")])
    assert await audio(voice, "Goodbye!", "en") == b"".join(
        [piece async for piece in tts.speak("Goodbye!", "en")]
    )


async def test_lines_that_could_not_be_made_are_told_once_for_each_language() -> None:
    english_alone = PreparedVoice(FakeTextToSpeech(languages=("en",)))
    with capture_logs() as logs:
        await english_alone.prepare([("שלום!", "he"), ("להתראות!", "he"), ("Goodbye!", "en")])
    assert [(entry["language"], entry["lines"]) for entry in logs] == [("he", 2)]


async def test_other_words_are_spoken_and_given_up_as_the_caller_wants(tts: FakeTextToSpeech) -> None:
    speaking = PreparedVoice(tts).speak("Something else.", "en")
    await anext(speaking)
    await speaking.aclose()
    await asyncio.sleep(0)
    assert tts.left_early == ["Something else."]

"""A voice message gets its words once, or a reason why it has none; nobody waits for anything else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from server.adapters.media_folder import MediaFolder
from server.conversation.enclosures import Enclosures
from server.conversation.voice_notes import VoiceNotes
from server.domain.conversations import Turn, Unheard, WaitingMessage
from server.domain.messages import MEDIA, MessageKind
from server.errors import (
    LineDown,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    StoreUnavailable,
)
from server.ports.media import PROVIDER, MediaFault
from server.ports.speech import Transcriber, Transcript
from server.ports.store import InboxStore
from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeMedia
from tests.fakes.speech import FakeTranscriber
from tests.support.opus import a_recording
from tests.support.turns import NOW, a_turn

WORDS = "When is check-in?"


class Words:
    """What was saved, as far as ``InboxStore`` is needed here."""

    def __init__(self) -> None:
        self.saved: list[tuple[int, str, Mapping[str, Any]]] = []
        self.outages: list[StoreUnavailable] = []

    def save_words(self, message_id: int, words: str, details: Mapping[str, object]) -> None:
        if self.outages:
            raise self.outages.pop(0)
        self.saved.append((message_id, words, details))


class Scene:
    """A guest's messages, and what hears them."""

    def __init__(self, folder: Path) -> None:
        self.media = FakeMedia({"ID1": a_recording()})
        self.shelf = MediaFolder(folder, least_free_bytes=0)
        self.words = Words()

    def ears(self, transcriber: Transcriber | None, patience_s: float = 5) -> VoiceNotes:
        clock = FakeClock(NOW)
        enclosures = Enclosures(self.media, self.shelf, clock, timedelta(days=30), most_bytes=1_000_000)
        return VoiceNotes(enclosures, transcriber, cast(InboxStore, self.words), patience_s)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def a_media_message(
    kind: MessageKind = MessageKind.AUDIO, message_id: int = 1, text: str = ""
) -> WaitingMessage:
    media = {"key": {"id": f"ID{message_id}"}, "message": {}}
    return WaitingMessage(message_id, f"ID{message_id}", kind, text, None, NOW, 0, {MEDIA: media})


def a_turn_of(*messages: WaitingMessage, **settings: Any) -> Turn:
    return replace(a_turn(**settings), messages=messages or (a_media_message(),))


async def test_a_voice_message_gets_its_words_and_they_are_saved(scene: Scene) -> None:
    heard = await scene.ears(FakeTranscriber(WORDS)).hear(a_turn_of())
    assert (heard.question, heard.unheard) == (WORDS, None)
    saved = (1, WORDS, {"transcript": {"language": "en", "confidence": 0.9}})
    assert scene.words.saved == [saved]


async def test_the_recording_is_kept_for_staff(scene: Scene) -> None:
    await scene.ears(FakeTranscriber(WORDS)).hear(a_turn_of())
    kept = scene.shelf.find("1", 1)
    assert kept is not None
    assert kept.read_bytes() == a_recording()


async def test_the_order_of_the_messages_stays(scene: Scene) -> None:
    text = replace(a_media_message(MessageKind.TEXT, 0, "Hello"), details={})
    last = replace(a_media_message(MessageKind.TEXT, 2, "Thanks"), details={})
    heard = await scene.ears(FakeTranscriber(WORDS)).hear(a_turn_of(text, a_media_message(), last))
    assert heard.question == f"Hello\n{WORDS}\nThanks"


async def test_words_that_are_there_already_are_not_asked_for_again(scene: Scene) -> None:
    transcriber = FakeTranscriber("other words")
    heard = await scene.ears(transcriber).hear(a_turn_of(a_media_message(text=WORDS)))
    assert (heard.question, transcriber.heard) == (WORDS, [])


async def test_a_long_recording_is_heard_in_parts_and_joined(scene: Scene) -> None:
    scene.media.files["ID1"] = a_recording(100)
    transcriber = FakeTranscriber(Transcript("one", "en", 0.9), Transcript("two", "en", 0.5))
    heard = await scene.ears(transcriber).hear(a_turn_of())
    assert heard.question == "one two"
    assert scene.words.saved[0][2] == {"transcript": {"language": "en", "confidence": 0.5}}


@pytest.mark.parametrize(
    ("guest_said", "languages", "first"),
    [([], ("en", "he"), "en"), (["מתי פותחים?"], ("en", "he"), "he"), ([], ("he",), "he")],
)
async def test_the_language_that_the_guest_writes_is_listened_for_first(
    scene: Scene, guest_said: list[str], languages: tuple[str, ...], first: str
) -> None:
    transcriber = FakeTranscriber(WORDS)
    await scene.ears(transcriber).hear(a_turn_of(guest_said=guest_said, languages=languages))
    assert transcriber.languages[0][0] == first
    assert set(transcriber.languages[0]) == set(languages)


def out_of(fault: ProviderError) -> Callable[[Scene], FakeTranscriber]:
    def arrange(scene: Scene) -> FakeTranscriber:
        scene.media.outages = [fault]
        return FakeTranscriber(WORDS)

    return arrange


def a_file(content: bytes) -> Callable[[Scene], FakeTranscriber]:
    def arrange(scene: Scene) -> FakeTranscriber:
        scene.media.files["ID1"] = content
        return FakeTranscriber(WORDS)

    return arrange


def hearing(*words: str | Transcript | ProviderError | asyncio.Event) -> Callable[[Scene], FakeTranscriber]:
    return lambda _scene: FakeTranscriber(*words)


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        (out_of(ProviderRejected(PROVIDER, MediaFault.TOO_LARGE)), Unheard.TOO_LARGE),
        (out_of(ProviderRejected(PROVIDER, MediaFault.GONE)), Unheard.GONE),
        (out_of(ProviderRejected(PROVIDER, MediaFault.NO_MEDIA)), Unheard.UNREADABLE),
        (out_of(ProviderRejected(PROVIDER, MediaFault.CORRUPT)), Unheard.UNREADABLE),
        (out_of(ProviderTimeout(PROVIDER, MediaFault.LATE)), Unheard.LATE),
        (out_of(LineDown(PROVIDER, MediaFault.NOT_CONNECTED)), Unheard.FAILED),
        (out_of(ProviderUnavailable(PROVIDER, MediaFault.NO_ROOM)), Unheard.FAILED),
        (a_file(b"x" * 1_000_001), Unheard.TOO_LARGE),
        (a_file(b""), Unheard.UNREADABLE),
        (a_file(b"<html>"), Unheard.UNREADABLE),
        (a_file(a_recording(301)), Unheard.TOO_LONG),
        (hearing(""), Unheard.UNCLEAR),
        (hearing(Transcript("mumble", "en", 0.2)), Unheard.UNCLEAR),
        (hearing(ProviderTimeout("speech", "no answer in time")), Unheard.LATE),
        (hearing(ProviderUnavailable("speech", "UNAVAILABLE")), Unheard.FAILED),
        (hearing(ProviderRejected("speech", "PERMISSION_DENIED")), Unheard.FAILED),
    ],
)
async def test_without_words_there_is_a_reason(
    scene: Scene, arrange: Callable[[Scene], FakeTranscriber], why: Unheard
) -> None:
    heard = await scene.ears(arrange(scene)).hear(a_turn_of())
    assert (heard.question, heard.unheard) == ("", why)
    assert scene.words.saved == []


async def test_words_without_a_confidence_are_words(scene: Scene) -> None:
    heard = await scene.ears(FakeTranscriber(Transcript(WORDS, "en", 0))).hear(a_turn_of())
    assert heard.question == WORDS


async def test_ears_that_hang_are_not_waited_for(scene: Scene) -> None:
    ears = scene.ears(FakeTranscriber(asyncio.Event()), patience_s=0.05)
    assert (await ears.hear(a_turn_of())).unheard is Unheard.LATE


async def test_without_ears_nobody_waits_and_the_file_is_fetched_all_the_same(scene: Scene) -> None:
    ears = scene.ears(None)
    assert (await ears.hear(a_turn_of())).unheard is Unheard.NO_EARS
    await settled()
    assert scene.shelf.find("1", 1) is not None


async def test_a_voice_message_that_does_not_say_where_it_is_cannot_be_heard(scene: Scene) -> None:
    bare = replace(a_media_message(), details={})
    assert (await scene.ears(FakeTranscriber(WORDS)).hear(a_turn_of(bare))).unheard is Unheard.UNREADABLE


async def test_a_turn_that_is_stopped_leaves_its_words_to_the_next(scene: Scene) -> None:
    answer = asyncio.Event()

    class Slow(FakeTranscriber):
        async def transcribe(self, recording: bytes, languages: Any) -> Transcript:
            transcript = await super().transcribe(recording, languages)
            began.set()
            await answer.wait()
            return transcript

    began = asyncio.Event()
    transcriber = Slow(WORDS)
    ears = scene.ears(transcriber)
    first = asyncio.create_task(ears.hear(a_turn_of()))
    await began.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    answer.set()
    heard = await ears.hear(a_turn_of())
    assert (heard.question, len(transcriber.heard), scene.media.fetched) == (WORDS, 1, ["ID1"])


async def test_words_that_could_not_be_saved_are_saved_by_the_next_try(scene: Scene) -> None:
    scene.words.outages = [StoreUnavailable("away")]
    transcriber = FakeTranscriber(WORDS)
    ears = scene.ears(transcriber)
    with pytest.raises(StoreUnavailable):
        await ears.hear(a_turn_of())
    await ears.hear(a_turn_of())
    assert ([words for _, words, _ in scene.words.saved], len(transcriber.heard)) == ([WORDS], 1)


async def test_after_a_crash_the_file_is_still_there(scene: Scene) -> None:
    await scene.ears(FakeTranscriber(WORDS)).hear(a_turn_of())
    await scene.ears(FakeTranscriber(WORDS)).hear(a_turn_of())
    assert scene.media.fetched == ["ID1"]


@pytest.mark.parametrize("kind", [MessageKind.IMAGE, MessageKind.DOCUMENT, MessageKind.VIDEO])
async def test_pictures_and_documents_are_kept_without_being_waited_for(
    scene: Scene, kind: MessageKind
) -> None:
    scene.media.files["ID2"] = b"a picture"
    picture = a_media_message(kind, 2, "what is this?")
    heard = await scene.ears(FakeTranscriber()).hear(a_turn_of(picture))
    assert heard.messages == [picture]
    await settled()
    kept = scene.shelf.find("1", 2)
    assert kept is not None
    assert kept.read_bytes() == b"a picture"


async def test_a_picture_that_cannot_be_fetched_harms_nobody(scene: Scene) -> None:
    await scene.ears(FakeTranscriber()).hear(a_turn_of(a_media_message(MessageKind.IMAGE, 2)))
    await settled()
    assert scene.shelf.find("1", 2) is None


async def test_what_staff_answer_is_kept_with_its_words(scene: Scene) -> None:
    ears = scene.ears(FakeTranscriber(WORDS))
    ears.keep(a_turn_of())
    await settled()
    assert [words for _, words, _ in scene.words.saved] == [WORDS]
    assert scene.shelf.find("1", 1) is not None


async def test_a_transcript_is_cleaned_of_what_a_database_cannot_keep(scene: Scene) -> None:
    await scene.ears(FakeTranscriber(Transcript(" a\x00b \n c ", "en", 0.9))).hear(a_turn_of())
    assert scene.words.saved[0][1] == "ab c"


async def settled() -> None:
    """Until everything that goes on behind has ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    while others:
        await asyncio.wait(others)
        others = asyncio.all_tasks() - {asyncio.current_task()}

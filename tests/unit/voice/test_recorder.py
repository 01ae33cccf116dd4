"""A call is recorded where the business wishes it, as it goes on; whatever fails, the call does not."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.adapters.recordings_folder import RecordingsFolder
from server.domain.conversations import Mode
from server.errors import ProviderUnavailable, StoreUnavailable
from server.ports.recordings import PROVIDER, RecordingFault
from server.voice import recorder as recorder_module
from server.voice.frames import Media, Outgoing
from server.voice.mouth import Mouth, Sentence, as_sentence
from server.voice.recorder import MOST_WAITING, NOT_RECORDED, CallRecorder, NoRecorder, RecordedCalls
from server.voice.recording import BLOCK_SAMPLES
from tests.fakes.clock import FakeClock
from tests.fakes.recordings import FakeRecordings, FakeShelf, FakeWriter
from tests.fakes.speech import FakeTextToSpeech
from tests.support.phone_lines import STREAM, VOICE, a_call, a_phone

FRAMES_A_BLOCK = BLOCK_SAMPLES // 160 + 1


class Scene:
    """A business that has its calls recorded."""

    def __init__(self) -> None:
        self.rows, self.shelf = FakeRecordings(), FakeShelf()
        self.calls = RecordedCalls(self.rows, self.shelf, FakeClock(), timedelta(days=30))

    def begin(self, **changes: object) -> CallRecorder:
        recorder = self.calls.begin(a_call(**{"record_calls": True, **changes}), self.now() - 60)
        assert isinstance(recorder, CallRecorder)
        return recorder

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def writer(self) -> FakeWriter:
        (writer,) = self.shelf.kept.values()
        return writer


@pytest.fixture
def scene() -> Scene:
    return Scene()


def hear_block(recorder: CallRecorder, number: int = 0) -> None:
    """As many of the caller's frames as make a block."""
    for place in range(number * FRAMES_A_BLOCK, (number + 1) * FRAMES_A_BLOCK):
        recorder.hear(Media(STREAM, "inbound", place, place * 20, VOICE))


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.002)


async def test_nothing_is_recorded_unless_the_business_wishes_it(scene: Scene) -> None:
    assert scene.calls.begin(a_call(), scene.now()) is NOT_RECORDED
    await NOT_RECORDED.aclose()
    assert scene.rows.begun == {}


async def test_a_caller_who_is_put_through_before_any_greeting_is_not_recorded(scene: Scene) -> None:
    call = a_call(record_calls=True, mode=Mode.HUMAN)
    assert scene.calls.begin(call, scene.now()) is NOT_RECORDED


async def test_a_call_is_written_as_it_goes_on_and_finished_at_its_end(scene: Scene) -> None:
    recorder = scene.begin()
    hear_block(recorder)
    await until(lambda: scene.shelf.kept and scene.writer.blocks == 1)
    assert scene.rows.seconds == {}
    await recorder.aclose()
    assert scene.rows.begun == {"r1": ("1", "CA1")}
    assert scene.writer.is_finished
    assert scene.writer.is_closed
    assert scene.rows.seconds == {"r1": len(scene.writer.audio) / 16_000}
    assert scene.writer.audio[0::2].count(VOICE[:1]) == FRAMES_A_BLOCK * 160


async def test_a_call_in_which_nothing_was_said_has_an_empty_recording(scene: Scene) -> None:
    await scene.begin().aclose()
    assert scene.rows.seconds == {"r1": 0.0}


async def test_the_call_goes_on_without_a_database(scene: Scene) -> None:
    scene.rows.outages = [StoreUnavailable()]
    recorder = scene.begin()
    hear_block(recorder)
    recorder.say(b"\x02")
    recorder.cut()
    await recorder.aclose()
    assert scene.shelf.kept == {}


async def test_what_was_written_before_the_disk_failed_stays(scene: Scene) -> None:
    recorder = scene.begin()
    hear_block(recorder)
    await until(lambda: scene.shelf.kept and scene.writer.blocks == 1)
    scene.writer.outages = [ProviderUnavailable(PROVIDER, RecordingFault.NO_ROOM)]
    hear_block(recorder, 1)
    await until(lambda: scene.writer.is_closed)
    hear_block(recorder, 2)
    await recorder.aclose()
    assert scene.writer.blocks == 1
    assert not scene.writer.is_finished
    assert scene.rows.seconds == {}


async def test_a_disk_that_hangs_is_given_up_before_memory_fills(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_ENDS_WITHIN_S", 0.05)
    hangs = threading.Event()
    monkeypatch.setattr(FakeWriter, "write", lambda *_: hangs.wait())
    recorder = scene.begin()
    try:
        for number in range(MOST_WAITING + 2):
            hear_block(recorder, number)
            await asyncio.sleep(0)
        await recorder.aclose()
    finally:
        hangs.set()
    assert scene.rows.seconds == {}


class Spy(NoRecorder):
    """What a recorder is told of the desk."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def say(self, audio: bytes) -> None:
        self.told.append(audio)

    def cut(self) -> None:
        self.told.append("cut")


async def test_a_recorder_is_told_of_all_that_is_sent_and_taken_back() -> None:
    spy, frames = Spy(), []

    async def send(frame: str) -> None:
        frames.append(json.loads(frame)["event"])

    async def one() -> AsyncGenerator[Sentence, None]:
        yield as_sentence("One is here.", "en")

    tts, may_begin = FakeTextToSpeech(), asyncio.Event()
    may_begin.set()
    mouth = Mouth(tts, send, Outgoing(STREAM), asyncio.get_running_loop().time, spy)
    await mouth.say(one(), may_begin, lambda _: None)
    await mouth.interrupt()
    assert spy.told == [*[audio async for audio in tts.speak("One is here.", "en")], "cut"]
    assert frames == ["media"] * (len(spy.told) - 1) + ["mark", "clear"]


async def test_what_the_caller_says_on_a_call_is_recorded(scene: Scene) -> None:
    recorder = scene.begin()
    phone = a_phone(a_call(record_calls=True), recorder=recorder)
    phone.speaks(0.5)
    phone.hangs_up()
    await phone.ends()
    await recorder.aclose()
    assert scene.writer.audio[0::2].count(VOICE[:1]) == 4_000


def test_rows_stay_as_long_as_their_files_cannot_be_deleted(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.rows.begin("1", "CA1")

    def fail(*_: object) -> int:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(scene.shelf, "forget", fail)
        with pytest.raises(PermissionError):
            scene.calls.forget()
    assert scene.rows.begun
    scene.calls.forget()
    assert not scene.rows.begun


def test_files_go_by_their_own_age_whatever_has_become_of_their_rows(tmp_path: Path) -> None:
    clock = FakeClock(datetime.now(UTC))
    rows, shelf = FakeRecordings(), RecordingsFolder(tmp_path, bytes(32), least_free_bytes=0)
    calls = RecordedCalls(rows, shelf, clock, timedelta(days=30))
    writer = shelf.begin("1", "of-a-row-that-is-gone")
    writer.close()
    calls.forget()
    assert shelf.find("1", "of-a-row-that-is-gone") is not None
    clock.advance(31 * 86_400)
    calls.forget()
    assert shelf.find("1", "of-a-row-that-is-gone") is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

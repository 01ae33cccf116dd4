"""Whole calls over all processes: questions are answered, and whatever breaks, the caller hears something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from simulators.lab import wait_until
from simulators.twilio import figures, notices, speech
from simulators.twilio.call import Call
from simulators.twilio.caller import Caller
from tests.support import recordings
from tests.support.phone import CALLER, DESK, GREETING, PACE, WITHIN_S, PhoneLab, phone_lab

# Loud to the last frame: where the caller falls silent is known to the frame.
SOUND = speech.babble(900)
LONGEST_SILENCE_S = 2.0
# Where the desk and the caller are told apart by more than the time on the way, it is far below.
LIKE = 0.9


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneLab]:
    with phone_lab(tmp_path_factory.mktemp("phone")) as running:
        yield running


@pytest.fixture(autouse=True)
def undisturbed(lab: PhoneLab) -> None:
    lab.model.control(**PACE)
    lab.stt.control()
    lab.tts.control()


@pytest.fixture
def recorded(lab: PhoneLab) -> Iterator[None]:
    with lab.recording():
        yield


async def asks(caller: Caller, text: str) -> float:
    """Say it, and return how long after it there was sound, in seconds."""
    uttered = await caller.say(SOUND, text=text)
    assert uttered.quiet_at is not None
    return await caller.hears(since=uttered.quiet_at) - uttered.quiet_at


def documents(call: Call) -> list[str]:
    """The verbs of each document that the call has run."""
    return [event.detail for event in call.events if event.kind == "document"]


def dialled_staff(call: Call) -> bool:
    return any("Dial" in verbs for verbs in documents(call))


def of_call(lab: PhoneLab, path: str, part: str = "") -> requests.Response:
    """What the API tells of a call."""
    headers = {**lab.desk.headers, **({"Range": part} if part else {})}
    return requests.get(f"{lab.desk.urls['web']}/api/v1/calls/{path}", headers=headers, timeout=10)


def recording_of(lab: PhoneLab, call: Call) -> Mapping[str, Any]:
    """The call's only one."""
    (one,) = of_call(lab, call.sid).json()["recordings"]
    found: Mapping[str, Any] = one
    return found


def check_recording(lab: PhoneLab, call: Call) -> None:
    """It sounds as the caller and the desk did, and only to who has the key."""
    wait_until(lambda: recording_of(lab, call)["complete"], WITHIN_S, "the recording to end")
    one = recording_of(lab, call)
    (stream,) = call.streams
    assert stream.opened_at is not None
    assert stream.closed_at is not None
    assert one["seconds"] == pytest.approx(stream.closed_at - stream.opened_at, abs=1.0)
    answer = of_call(lab, f"{call.sid}/recordings/{one['number']}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/wav")
    assert answer.headers["Cache-Control"] == "private, no-store"
    said, heard = recordings.channels(answer.content)
    began = round(8_000 * stream.opened_at)
    assert recordings.likeness(said, call.line.microphone.render(stream.closed_at)[began:]) > LIKE
    played = call.playback.render(stream.closed_at)[began:]
    assert recordings.likeness(heard, played) > LIKE
    assert recordings.sounds_s(heard) == pytest.approx(recordings.sounds_s(played), abs=0.5)
    part = of_call(lab, f"{call.sid}/recordings/{one['number']}", part="bytes=70000-70999")
    assert (part.status_code, part.content) == (206, answer.content[70_000:71_000])
    (kept,) = (Path(lab.desk.lab.environment["DATA_DIR"]) / "recordings" / "1").iterdir()
    sealed = kept.read_bytes()
    assert len(sealed) > len(answer.content)
    # A recording that is not sealed has silences, in which each byte is as the one before.
    assert b"\xff" * 8 in answer.content
    assert b"\xff" * 8 not in sealed


def errors(call: Call) -> list[str]:
    return [str(notice) for notice in call.notices if notice.level == "error"]


@pytest.mark.usefixtures("recorded")
async def test_a_call_of_two_questions_an_interruption_a_correction_and_a_person(lab: PhoneLab) -> None:
    lab.hears(
        "When is breakfast?", "No, I meant parking. Is there parking?", "Can I talk to a person please?"
    )
    async with lab.network() as network:
        caller = network.dial(DESK, from_=CALLER)
        await caller.connected()
        await caller.listens()
        assert await asks(caller, "When is breakfast?") < LONGEST_SILENCE_S
        await caller.hears_for(1.0)
        interruption = await caller.interrupts(0.2, SOUND)
        assert interruption.silent_at - interruption.spoke_at < 0.6
        await caller.hears()
        await caller.hears_for(1.0)
        await caller.say(SOUND, text="Can I talk to a person please?")
        await caller.sees("document", since=caller.call.stopwatch.now() - 1.0)
        await caller.ended()
        call = caller.call
    assert errors(call) == []
    assert dialled_staff(call)
    assert figures.dead_air(call, LONGEST_SILENCE_S) == []
    row = lab.has_ended(call.sid)
    assert (row["ended_because"], row["next_step"]) == ("completed", "transfer")
    greeting, breakfast, parking, person = lab.turns(call.sid)
    assert greeting.told == f"This call is recorded. {GREETING}"
    assert breakfast.words == "When is breakfast?"
    assert breakfast.intended is not None
    assert breakfast.intended.startswith(breakfast.told)
    assert breakfast.citations
    assert parking.words.startswith("No, I meant parking")
    assert parking.citations
    assert {"decided", "first_token", "first_sentence", "first_audio"} <= parking.steps_ms.keys()
    assert person.reason == "asked_for_person"
    assert person.intended is None
    told = of_call(lab, call.sid).json()
    assert [turn["words"] for turn in told["turns"]] == ["", breakfast.words, parking.words, person.words]
    assert told["turns"][1]["citations"] == breakfast.citations
    assert told["turns"][1]["steps_ms"] == breakfast.steps_ms
    check_recording(lab, call)


async def test_a_hebrew_caller_is_answered_in_hebrew(lab: PhoneLab) -> None:
    lab.hears("מתי ארוחת הבוקר?", "תודה רבה להתראות", language="iw-IL")
    async with lab.network() as network:
        caller = network.dial(DESK, from_="+972501234568")
        await caller.connected()
        await caller.listens()
        assert await asks(caller, "מתי ארוחת הבוקר?") < LONGEST_SILENCE_S
        await caller.hears_for(1.0)
        await caller.say(SOUND, text="תודה רבה להתראות")
        await caller.ended()
        call = caller.call
    assert errors(call) == []
    assert figures.dead_air(call, LONGEST_SILENCE_S) == []
    _greeting, breakfast, goodbye = lab.turns(call.sid)
    assert breakfast.words == "מתי ארוחת הבוקר?"
    assert breakfast.citations
    assert "להתראות" in goodbye.told
    assert {record["voice"] for record in lab.tts.records()} == {"he-IL-Chirp3-HD-Aoede"}


async def test_a_call_whose_socket_breaks_goes_on_sentence_by_sentence(lab: PhoneLab) -> None:
    lab.hears("When is breakfast?")
    async with lab.network() as network:
        caller = network.dial(DESK, from_=CALLER)
        await caller.connected()
        await caller.listens()
        caller.drop_stream()
        await caller.listens()
        said = await caller.say(SOUND, text="When is breakfast?")
        await caller.hears(since=said.quiet_at)
        await caller.hang_up()
        call = caller.call
    assert [notice.code for notice in call.notices] == [notices.STREAM_CLOSED]
    assert figures.dead_air(call, LONGEST_SILENCE_S) == []
    lab.has_ended(call.sid)
    (breakfast,) = [turn for turn in lab.turns(call.sid) if turn.words]
    assert breakfast.words == "When is breakfast?"
    assert breakfast.citations


async def test_a_caller_without_a_socket_is_told_of_a_slow_model_and_hears_its_answer(lab: PhoneLab) -> None:
    async with lab.network() as network:
        caller = network.dial(DESK, from_=CALLER)
        await caller.connected()
        await caller.listens()
        caller.drop_stream()
        await caller.listens()
        lab.model.control(**PACE | {"latency_first_token_ms": 2_000})
        await caller.say(SOUND, text="When is breakfast?")
        asked = len(documents(caller.call))
        while "Gather" not in documents(caller.call)[asked:]:
            await caller.hears_for(0.3)
        await caller.hang_up()
        call = caller.call
    spoken = [event.detail for event in call.events if event.kind == "say"]
    assert "[en-US] One moment, please." in spoken
    assert figures.dead_air(call, LONGEST_SILENCE_S) == []
    lab.has_ended(call.sid)
    (breakfast,) = [turn for turn in lab.turns(call.sid) if turn.words]
    assert (breakfast.words, breakfast.intended) == ("When is breakfast?", None)
    assert breakfast.citations
    assert breakfast.told in spoken[-1]


async def test_a_caller_hears_something_when_the_recogniser_hangs(lab: PhoneLab) -> None:
    lab.hears(fault={"kind": "hang", "after_s": 2})
    async with lab.network() as network:
        caller = network.dial(DESK, from_=CALLER)
        await caller.connected()
        await caller.listens()
        assert await asks(caller, "When is breakfast?") < LONGEST_SILENCE_S
        await caller.hang_up()
        call = caller.call
    assert figures.dead_air(call, LONGEST_SILENCE_S) == []
    assert lab.has_ended(call.sid)["next_step"] == "ask"


async def test_a_caller_hears_the_answer_when_the_voice_breaks(lab: PhoneLab) -> None:
    lab.hears("When is breakfast?")
    async with lab.network() as network:
        caller = network.dial(DESK, from_=CALLER)
        await caller.connected()
        await caller.listens()
        lab.tts.control(fault={"kind": "break", "after_s": 0.5})
        assert await asks(caller, "When is breakfast?") < LONGEST_SILENCE_S
        await caller.sees("document", since=caller.call.stopwatch.now() - 1.0)
        await caller.hears_for(1.0)
        await caller.hang_up()
        call = caller.call
    assert figures.dead_air(call, LONGEST_SILENCE_S) == []
    row = lab.has_ended(call.sid)
    assert row["next_step"] == "ask"
    assert row["to_say"]


async def test_a_voice_that_hangs_is_not_waited_for(lab: PhoneLab) -> None:
    lab.hears("When is breakfast?")
    async with lab.network() as network:
        caller = network.dial(DESK, from_=CALLER)
        await caller.connected()
        await caller.listens()
        lab.tts.control(fault={"kind": "hang"})
        assert await asks(caller, "When is breakfast?") < LONGEST_SILENCE_S
        await caller.hears_for(2.0)
        await caller.hang_up()
        call = caller.call
    assert figures.dead_air(call, LONGEST_SILENCE_S) == []

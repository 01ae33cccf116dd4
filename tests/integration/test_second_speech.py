"""Whole calls over all processes, with a second provider of hearing and speaking, which goes on with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.twilio import figures, speech
from simulators.twilio.call import Call
from simulators.twilio.caller import Caller
from tests.support.phone import CALLER, DESK, PACE, PhoneLab, phone_lab

SOUND = speech.babble(900)
# Nobody says two things with the same sound: the second provider would take them for one.
ANOTHER_SOUND = speech.babble(1300)
LONGEST_SILENCE_S = 2.0
QUESTION = "When is breakfast?"
SPEECH, TRANSCRIPTION = "/v1/audio/speech", "/v1/audio/transcriptions"


@dataclass(frozen=True)
class TwoProviders:
    """The desk, with a second provider behind Google's."""

    phone: PhoneLab
    second: OpenAISimulator

    def said_by_second(self) -> Sequence[str]:
        """The sentences that the second provider spoke."""
        return [request["audio"]["text"] for request in self._asked(SPEECH)]

    def heard_by_second(self) -> Sequence[str]:
        """What it understood, leaving out what had no words."""
        heard = [request["audio"]["text"] for request in self._asked(TRANSCRIPTION)]
        return [text for text in heard if text]

    def _asked(self, path: str) -> list[dict[str, Any]]:
        return [request for request in self.second.requests() if request["path"] == path and request["audio"]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoProviders]:
    with start_openai_simulator() as second:
        settings = {"SPEECH_FALLBACK_BASE_URL": second.base_url}
        with phone_lab(tmp_path_factory.mktemp("two"), settings) as phone:
            yield TwoProviders(phone, second)


@pytest.fixture(autouse=True)
def undisturbed(lab: TwoProviders) -> None:
    lab.phone.model.control(**PACE)
    lab.phone.stt.control()
    lab.phone.tts.control()
    lab.second.control()


async def asks(caller: Caller, sound: bytes = SOUND) -> None:
    uttered = await caller.say(sound, text=QUESTION)
    assert uttered.quiet_at is not None
    await caller.hears(since=uttered.quiet_at)
    await caller.hears_for(1.0)


def is_sound(call: Call) -> bool:
    return not figures.dead_air(call, LONGEST_SILENCE_S) and not call.notices


async def test_a_recogniser_that_hangs_is_replaced_during_the_call_and_no_word_is_lost(
    lab: TwoProviders,
) -> None:
    lab.phone.hears(QUESTION, fault={"kind": "hang"})
    lab.second.control(audio={"script": [{"text": QUESTION}, {"text": "Is there parking?"}]})
    async with lab.phone.network() as network:
        caller = network.dial(DESK, from_=CALLER)
        await caller.connected()
        await caller.listens()
        await asks(caller)
        await asks(caller, ANOTHER_SOUND)
        await caller.hang_up()
        call = caller.call
    assert is_sound(call)
    lab.phone.has_ended(call.sid)
    assert [turn.words for turn in lab.phone.turns(call.sid) if turn.words] == [QUESTION, "Is there parking?"]
    assert lab.heard_by_second()[-1] == "Is there parking?"


async def test_a_sentence_whose_voice_hangs_is_spoken_by_the_second(lab: TwoProviders) -> None:
    lab.phone.hears(QUESTION)
    async with lab.phone.network() as network:
        caller = network.dial(DESK, from_=CALLER)
        await caller.connected()
        await caller.listens()
        lab.phone.tts.control(fault={"kind": "hang"})
        await asks(caller)
        await caller.hang_up()
        call = caller.call
    assert is_sound(call)
    lab.phone.has_ended(call.sid)
    (breakfast,) = [turn for turn in lab.phone.turns(call.sid) if turn.words]
    assert breakfast.citations
    said = lab.said_by_second()
    assert said
    assert breakfast.intended is not None
    assert said[0].split()[0] in breakfast.intended

"""A desk with a phone line and the page to talk to it, for the browser test.

Prints one line of JSON when it is ready: ``{"url", "microphone"}``, the page and a WAV file for the browser's
microphone: silence while the desk greets, a question, silence. Once standard input is closed it ends, with a
second line that says what came of each call, the simulated network's record beside the desk's own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from bench.chat_desk import ChatDesk, simulated_model
from server.commands import cli as frontdesk
from simulators.google_client import start_google_speech, start_google_tts
from simulators.lab import wait_until
from simulators.twilio import mulaw, speech
from simulators.twilio.call import Call
from simulators.twilio.talk_server import talk_page
from tests.support.phone import CALLER, DESK, GREETING, PACE, PhoneLab, phone_settings

QUESTION = "When is breakfast?"
KNOWLEDGE = "# Breakfast\n\nBreakfast is served from 08:00 to 10:30 in the garden.\n"
START_WITHIN_S = 110.0
# What browsers take from a sound card.
_RATE_HZ = 48_000
_BEFORE_S, _SPOKEN_MS, _AFTER_S = 3.0, 1200, 30.0


def main() -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory() as folder, _lab(Path(folder)) as lab:
        microphone = Path(folder) / "microphone.wav"
        write_question(microphone)
        lab.model.control(**PACE)
        lab.hears(QUESTION)
        asyncio.run(_serve(lab, microphone))


async def _serve(lab: PhoneLab, microphone: Path) -> None:
    ended: list[Call] = []
    async with (
        lab.network() as network,
        talk_page(lambda handset: network.dial(DESK, from_=CALLER, handset=handset), ended.append) as url,
    ):
        _tell({"url": url, "microphone": str(microphone)})
        await asyncio.to_thread(sys.stdin.read)
    _tell([_came_of(lab, call) for call in ended])


def _came_of(lab: PhoneLab, call: Call) -> dict[str, Any]:
    lab.has_ended(call.sid)
    turns = lab.turns(call.sid)
    (stream,) = call.streams
    return {
        "status": call.status,
        "notices": [str(notice) for notice in call.notices],
        "marks": len(stream.marks),
        "spoken_s": sum(spell.end - spell.start for spell in call.line.microphone.loud),
        "words": [turn.words for turn in turns if turn.words],
        "told": [turn.told for turn in turns],
    }


@contextmanager
def _lab(folder: Path) -> Iterator[PhoneLab]:
    """The lab of ``tests.support.phone``, filled by this process and started all at once: a test waits."""
    with ExitStack() as stack:
        model = stack.enter_context(simulated_model())
        stt, tts = stack.enter_context(start_google_speech()), stack.enter_context(start_google_tts())
        database = f"sqlite:///{folder / 'phone.db'}"
        desk = ChatDesk(folder, database, model, phone_settings(stt, tts), has_realtime=True)
        _fill(desk, folder)
        for service in desk.services:
            stack.callback(service.kill)
            service.spawn()
        for service in desk.services:
            wait_until(service.is_ready, START_WITHIN_S, f"{service.name} to be ready")
        # The microphone's file leaves the greeting three seconds.
        wait_until(
            lambda: any(GREETING in record["text"] for record in tts.records()),
            START_WITHIN_S,
            "the greeting to be prepared",
        )
        yield PhoneLab(desk, model, stt, tts)


def _fill(desk: ChatDesk, folder: Path) -> None:
    os.environ.update(desk.lab.environment)
    knowledge = folder / "house.md"
    knowledge.write_text(KNOWLEDGE, encoding="utf-8")
    # Standard output is for whoever started us.
    with redirect_stdout(sys.stderr):
        for command in (
            ("migrate",),
            ("tenant", "add", "1", "--name", "Harbour House"),
            ("tenant", "set", "1", "phone_numbers", DESK),
            ("tenant", "set", "1", "phone_greeting", GREETING),
            ("knowledge", "import", str(knowledge), "--tenant", "1"),
        ):
            frontdesk(command, standalone_mode=False)


def write_question(path: Path) -> None:
    """A WAV file for a browser's microphone."""
    spoken = mulaw.decode(speech.babble(_SPOKEN_MS))
    moments = np.arange(len(spoken) * _RATE_HZ // mulaw.RATE_HZ) * mulaw.RATE_HZ / _RATE_HZ
    voiced = np.interp(moments, np.arange(len(spoken)), spoken)
    before, after = (np.zeros(int(seconds * _RATE_HZ)) for seconds in (_BEFORE_S, _AFTER_S))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(np.concatenate([before, voiced, after]).astype("<i2").tobytes())


def _tell(told: object) -> None:
    print(json.dumps(told), flush=True)  # noqa: T201 (the test waits for it)


if __name__ == "__main__":
    main()

"""`python -m simulators.twilio` places one call; `simulators.twilio.capacity` measures many."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from simulators.twilio import speech
from simulators.twilio.desk import ORIGIN, STREAM_URL, MediaSocket, ScriptedDesk, scripted_desk

SETTINGS = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "token"}


async def run(module: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code and both outputs of a command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        env={**os.environ, **SETTINGS},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode or 0, output.decode(), errors.decode()


def routes(desk: ScriptedDesk) -> list[str]:
    return [part for public, real in desk.routes.items() for part in ("--route", f"{public}={real}")]


async def test_the_command_does_its_steps_and_prints_what_happened(tmp_path: Path) -> None:
    async with scripted_desk() as desk:
        desk.documents["/voice"] = f'<Connect><Stream url="{STREAM_URL}"/></Connect>'

        async def talk(socket: MediaSocket) -> None:
            await socket.begin()
            await socket.play(speech.speak("Welcome"))
            await socket.next("dtmf")

        desk.on_stream = talk
        steps = ("connected", "listen", "say:Hello", "cough", "press:0", "end")
        code, output, errors = await run(
            "simulators.twilio", f"{ORIGIN}/voice", *routes(desk), *steps, "--save", str(tmp_path / "call")
        )
    assert (code, errors) == (0, "")
    kinds = [line.split()[1] for line in output.splitlines() if line.startswith(" ")]
    assert kinds[:4] == ["document", "answered", "stream-open", "caller-says"]
    assert kinds[-1] == "ended"
    assert "frames sent, late p99" in output
    assert {file.name for file in (tmp_path / "call").iterdir()} == {
        "call.wav",
        "caller.mulaw",
        "events.txt",
        "heard.mulaw",
    }


async def test_an_error_of_the_call_is_the_exit_code() -> None:
    async with scripted_desk() as desk:
        code, output, _ = await run("simulators.twilio", f"{ORIGIN}/nowhere", *routes(desk), "end")
    assert code == 1
    assert "11200 HTTP retrieval failure" in output


async def test_parties_can_be_given_to_the_command() -> None:
    async with scripted_desk() as desk:
        desk.documents["/voice"] = '<Dial action="/next"><Client>reception</Client></Dial>'
        desk.documents["/next"] = "<Hangup/>"
        code, output, _ = await run(
            "simulators.twilio", f"{ORIGIN}/voice", *routes(desk), "--party", "reception=busy", "end"
        )
        assert desk.asked_at("/next")[0].parameters["DialCallStatus"] == "busy"
    assert code == 0
    assert "dial           reception" in output


async def test_a_wrong_step_is_refused_before_the_call() -> None:
    code, _, errors = await run("simulators.twilio", f"{ORIGIN}/voice", "shout:hello")
    assert code == 2
    assert "the steps are connected, listen" in errors


async def test_capacity_is_measured_in_lines_of_json() -> None:
    code, output, errors = await run("simulators.twilio.capacity", "--calls", "1,2", "--seconds", "1")
    assert (code, errors) == (0, "")
    figures = [json.loads(line) for line in output.splitlines()]
    assert [line["calls"] for line in figures] == [1, 2]
    assert figures[1]["frames"] >= 100


async def test_calls_of_two_runs_have_ids_of_their_own() -> None:
    async with scripted_desk() as desk:
        desk.documents["/voice"] = "<Hangup/>"
        for _ in range(2):
            await run("simulators.twilio", f"{ORIGIN}/voice", *routes(desk), "end")
        ids = [asked.parameters["CallSid"] for asked in desk.asked_at("/voice")]
    assert len(set(ids)) == 2

"""The realtime process beside the web process, both real, with a simulated model: streams by ``curl -N``,
sockets by a client of another library, clients that go, and a stop that loses nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests

from simulators.lab import ROOT, Lab, wait_until
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.ports import free_port
from simulators.whatsapp_client import start_simulator

WAIT_S = 60
QUESTION = "What time is check-in?"
PATH = "/api/v1/chat/stream"

_conversations = (f"c{number}" for number in count(1))


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAISimulator]:
    with start_openai_simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, model: OpenAISimulator) -> Iterator[Lab]:
    settings = {**model.settings, "AI_TIMEOUT_S": "20", "AI_TOTAL_S": "30", "ANSWER_CACHE_S": "0"}
    with (
        start_simulator() as whatsapp,
        Lab(tmp_path_factory.mktemp("lab"), whatsapp, settings, realtime=True) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def key(lab: Lab) -> str:
    return lab.frontdesk("keys", "create", "--tenant", "1").splitlines()[-1]


@pytest.fixture(autouse=True)
def undisturbed(lab: Lab, model: OpenAISimulator) -> None:
    """Every test begins with a quick model and all processes running."""
    model.control()
    for service in (lab.web, lab.realtime):
        if not service.is_running:
            service.start()


@pytest.fixture(params=["web", "realtime"])
def url(request: pytest.FixtureRequest, lab: Lab) -> str:
    """One process, and the other."""
    return lab.web_url if request.param == "web" else lab.realtime_url


def curl(url: str, key: str, conversation: str, *options: str) -> list[str]:
    """The command that reads a stream."""
    body = json.dumps({"tenant": "1", "conversation": conversation, "message": QUESTION})
    return [
        *("curl", "--no-progress-meter", "-N", url + PATH, *options),
        *("-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json", "-d", body),
    ]


def read(url: str, key: str, conversation: str, *options: str) -> list[dict[str, Any]]:
    """All events of a stream as curl has them."""
    done = subprocess.run(
        curl(url, key, conversation, *options), capture_output=True, text=True, timeout=WAIT_S, check=True
    )
    return [parsed(block) for block in done.stdout.split("\n\n") if block and not block.startswith(":")]


def parsed(block: str) -> dict[str, Any]:
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    return fields | {"data": json.loads(fields["data"])}


def text_of(events: list[dict[str, Any]], before: str = "") -> str:
    """What is on the screen in the end."""
    text = before
    for event in events:
        if event["event"] == "token":
            text += event["data"]["text"]
        elif event["event"] == "replace":
            text = event["data"]["text"]
    return text


def test_curl_reads_an_answer_word_by_word(url: str, key: str, model: OpenAISimulator) -> None:
    model.control(tokens_per_second=40)
    events = read(url, key, next(_conversations))
    assert [event["event"] for event in events][-2:] == ["citations", "done"]
    assert sum(event["event"] == "token" for event in events) > 3
    reply = events[-1]["data"]
    assert "15:00" in reply["reply"]
    assert reply["source"] == "model"
    assert reply["citations"] == events[-2]["data"]["citations"] != []
    assert text_of(events) == reply["reply"]


def test_a_client_that_hangs_up_before_the_first_word_ends_the_models_stream(
    url: str, key: str, model: OpenAISimulator
) -> None:
    model.control(hang="first_token")
    reading = subprocess.Popen(curl(url, key, next(_conversations)), stdout=subprocess.DEVNULL)
    wait_until(lambda: bool(model.asked()), WAIT_S, "the turn to reach the model")
    reading.kill()
    reading.wait()
    assert [record["outcome"] for record in model.requests(settled=True)] == ["client_left"]


def test_a_client_that_hangs_up_between_words_ends_the_models_stream(
    url: str, key: str, model: OpenAISimulator
) -> None:
    model.control(tokens_per_second=3)
    with subprocess.Popen(curl(url, key, next(_conversations)), stdout=subprocess.PIPE, text=True) as reading:
        assert reading.stdout is not None
        wait_for_line(reading.stdout, lambda line: line == "event: token")
        reading.kill()
    assert [record["outcome"] for record in model.requests(settled=True)] == ["client_left"]


def wait_for_line(lines: Any, is_wanted: Callable[[str], bool]) -> list[str]:
    """The lines up to one that is wanted."""
    read_so_far = []
    for line in lines:
        read_so_far.append(line.rstrip("\n"))
        if is_wanted(read_so_far[-1]):
            return read_so_far
    raise AssertionError(read_so_far)


def test_a_connection_that_breaks_is_taken_up_again(url: str, key: str, model: OpenAISimulator) -> None:
    model.control(tokens_per_second=8)
    conversation = next(_conversations)
    with subprocess.Popen(curl(url, key, conversation), stdout=subprocess.PIPE, text=True) as reading:
        assert reading.stdout is not None
        lines = wait_for_line(reading.stdout, lambda line: line.startswith("data: "))
        reading.kill()
    seen = [parsed("\n".join(lines))]
    rest = read(url, key, conversation, "-H", f"Last-Event-ID: {seen[0]['id']}")
    assert rest[-1]["event"] == "done"
    assert text_of(seen + rest) == rest[-1]["data"]["reply"]
    assert len(model.asked()) == 1


def test_what_one_process_began_the_other_tells_again(lab: Lab, key: str) -> None:
    conversation = next(_conversations)
    events = read(lab.web_url, key, conversation)
    again = read(lab.realtime_url, key, conversation, "-H", f"Last-Event-ID: {events[0]['id']}")
    assert again[-1]["data"]["reply"] == events[-1]["data"]["reply"]
    assert text_of(again, before="half a w") == events[-1]["data"]["reply"]


def test_the_same_message_again_has_the_same_reply(lab: Lab, key: str, model: OpenAISimulator) -> None:
    body = {
        "tenant": "1",
        "conversation": next(_conversations),
        "message": QUESTION,
        "message_id": "m-1",
    }
    headers = {"Authorization": f"Bearer {key}"}
    replies = [
        requests.post(f"{lab.web_url}/api/v1/chat", json=body, headers=headers, timeout=WAIT_S).json()[
            "reply"
        ]
        for _ in range(2)
    ]
    assert replies[0] == replies[1] != ""
    assert len(model.asked()) == 1


async def test_a_socket_answers_two_conversations_side_by_side(
    lab: Lab, key: str, model: OpenAISimulator
) -> None:
    model.control(tokens_per_second=40)
    names = {next(_conversations), next(_conversations)}
    headers = {"Authorization": f"Bearer {key}"}
    address = lab.realtime_url.replace("http", "ws", 1) + "/ws/chat"
    async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers) as client:
        for name in names:
            await client.send_json({"type": "message", "conversation": name, "message": QUESTION})
        frames: list[dict[str, Any]] = []
        while sum(frame["type"] == "done" for frame in frames) < len(names):
            frames.append(await client.receive_json(timeout=WAIT_S))
    assert all("15:00" in frame["reply"] for frame in frames if frame["type"] == "done")
    firsts = [
        next(place for place, frame in enumerate(frames) if frame.get("conversation") == name)
        for name in names
    ]
    assert max(firsts) < next(place for place, frame in enumerate(frames) if frame["type"] == "done")


async def test_a_socket_that_closes_ends_the_models_stream(
    lab: Lab, key: str, model: OpenAISimulator
) -> None:
    model.control(hang="first_token")
    headers = {"Authorization": f"Bearer {key}"}
    address = lab.realtime_url.replace("http", "ws", 1) + "/ws/chat"
    async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers) as client:
        await client.send_json({"type": "message", "conversation": next(_conversations), "message": QUESTION})
        wait_until(lambda: bool(model.asked()), WAIT_S, "the turn to reach the model")
    assert [record["outcome"] for record in model.requests(settled=True)] == ["client_left"]


def test_it_is_live_and_ready(lab: Lab) -> None:
    for path in ("/livez", "/readyz"):
        answer = requests.get(lab.realtime_url + path, timeout=WAIT_S)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_a_stop_lets_answers_end(lab: Lab, key: str, model: OpenAISimulator) -> None:
    model.control(tokens_per_second=6)
    with subprocess.Popen(
        curl(lab.realtime_url, key, next(_conversations)), stdout=subprocess.PIPE, text=True
    ) as reading:
        assert reading.stdout is not None
        wait_for_line(reading.stdout, lambda line: line == "event: token")
        os.kill(lab.realtime.pid, signal.SIGTERM)
        wait_until(lambda: not is_open(lab.realtime_url), WAIT_S, "the port to be closed")
        wait_for_line(reading.stdout, lambda line: line == "event: done")
    assert lab.realtime.stop() == 0


def is_open(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0


def test_a_port_that_is_taken_is_one_sentence(lab: Lab) -> None:
    said = run_once(lab.environment)
    assert said.startswith("frontdesk: cannot listen on 127.0.0.1:")
    assert "REALTIME_PORT" in said
    assert said.count("\n") == 1


def test_a_database_that_is_behind_is_one_sentence(lab: Lab, tmp_path: Path) -> None:
    said = run_once(lab.environment | {"DATA_DIR": str(tmp_path), "REALTIME_PORT": str(free_port())})
    assert said == "frontdesk: the database is not up to date: run `frontdesk migrate` first\n"


def run_once(environment: dict[str, str]) -> str:
    """What the process says where it cannot go on."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "frontdesk"), "run", "realtime"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr

"""Workers on PostgreSQL, as processes: they take the turns, share them, and one's death loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
import requests

from server.settings import Settings
from server.worker import is_alive
from simulators.lab import ROOT, Lab, LabError, Service, wait_until
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator
from tests.support.databases import PostgresTemplate

HOST = "972500000001"
LEASE_S = 2
WAIT_S = 60
FRONTDESK = str(Path(sys.executable).parent / "frontdesk")

_numbers = count(972520000001)


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAISimulator]:
    with start_openai_simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def whatsapp() -> Iterator[WhatsAppSimulator]:
    with start_simulator() as simulator:
        simulator.add_host(HOST, name="Demo House")
        yield simulator


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory,
    whatsapp: WhatsAppSimulator,
    model: OpenAISimulator,
    postgres_template: PostgresTemplate,
) -> Iterator[Lab]:
    """Two web processes and two workers on one PostgreSQL."""
    with postgres_template.fresh() as url:
        settings = {
            "DATABASE_URL": url,
            "LEASE_S": str(LEASE_S),
            **model.settings,
            "AI_TIMEOUT_S": "20",
            "AI_TOTAL_S": "30",
            # The tests ask the same again, and the model is to be asked each time.
            "ANSWER_CACHE_S": "0",
        }
        with Lab(tmp_path_factory.mktemp("lab"), whatsapp, settings, webs=2, workers=2) as running:
            running.link("1", HOST)
            yield running


@pytest.fixture(autouse=True)
def undisturbed(lab: Lab, model: OpenAISimulator) -> None:
    """Every test begins with a quick model and all processes running."""
    model.control()
    for service in (*lab.webs, *lab.workers):
        if not service.is_running:
            service.start()


@pytest.fixture
def guest(whatsapp: WhatsAppSimulator) -> str:
    return new_guest(whatsapp)


def new_guest(whatsapp: WhatsAppSimulator) -> str:
    number = str(next(_numbers))
    whatsapp.add_guest(number, name="Dana")
    return number


def answers(whatsapp: WhatsAppSimulator, guest: str) -> list[str]:
    phone = whatsapp.guest(guest)
    assert set(phone["timesById"].values()) <= {1}
    assert phone["textRepeats"] == 0
    return [message["text"] for message in phone["received"]]


def await_answer(whatsapp: WhatsAppSimulator, guest: str) -> list[str]:
    wait_until(lambda: len(whatsapp.guest(guest)["received"]) >= 1, WAIT_S, f"an answer to {guest}")
    return answers(whatsapp, guest)


def turns_in(service: Service) -> int:
    return service.log.read_text(encoding="utf-8").count('"turn.committed"')


def await_turns(count: int, *services: Service) -> None:
    """The line of the log follows the answer that it tells of."""
    wait_until(lambda: sum(map(turns_in, services)) >= count, WAIT_S, f"{count} turns in the log")


def test_workers_take_the_turns_and_share_them(lab: Lab, whatsapp: WhatsAppSimulator) -> None:
    guests = [new_guest(whatsapp) for _ in range(12)]
    for number in guests:
        whatsapp.send(number, to=HOST, text="What time is check-in?")
    for number in guests:
        assert len(await_answer(whatsapp, number)) == 1
    await_turns(len(guests), *lab.workers)
    assert min(map(turns_in, lab.workers)) > 0
    assert sum(turns_in(web) for web in lab.webs) == 0


def test_the_chat_api_is_answered_by_the_web_process_that_was_asked(lab: Lab) -> None:
    key = lab.frontdesk("keys", "create", "--tenant", "1").splitlines()[-1]
    before = [turns_in(web) for web in lab.webs]
    answer = requests.post(
        f"{lab.web_urls[1]}/api/v1/chat",
        json={"tenant": "1", "conversation": "c1", "message": "What time is check-in?"},
        headers={"Authorization": f"Bearer {key}"},
        timeout=WAIT_S,
    )
    assert "15:00" in answer.json()["reply"]
    await_turns(before[1] + 1, lab.webs[1])
    assert [turns_in(web) for web in lab.webs] == [before[0], before[1] + 1]


def test_a_worker_killed_in_mid_turn_is_replaced_by_the_other_and_the_guest_gets_one_reply(
    lab: Lab, whatsapp: WhatsAppSimulator, model: OpenAISimulator, guest: str
) -> None:
    idle, busy = lab.workers
    idle.stop()
    model.control(latency_first_token_ms=3000)
    whatsapp.send(guest, to=HOST, text="Is there parking?")
    wait_until(lambda: bool(model.asked()), WAIT_S, "the turn to reach the model")
    busy.kill()
    idle.start()
    model.control()
    assert len(await_answer(whatsapp, guest)) == 1
    await_turns(1, idle)


def test_a_worker_that_is_stopped_ends_its_turn_first(
    lab: Lab, whatsapp: WhatsAppSimulator, model: OpenAISimulator, guest: str
) -> None:
    other, busy = lab.workers
    other.stop()
    before = turns_in(busy)
    model.control(latency_first_token_ms=2000)
    whatsapp.send(guest, to=HOST, text="Is there parking?")
    wait_until(lambda: bool(model.asked()), WAIT_S, "the turn to reach the model")
    assert busy.stop() == 0
    assert turns_in(busy) == before + 1
    assert len(await_answer(whatsapp, guest)) == 1
    assert len(model.asked()) == 1


def test_nothing_is_left_of_the_jobs(lab: Lab, whatsapp: WhatsAppSimulator, guest: str) -> None:
    whatsapp.send(guest, to=HOST, text="Is there parking?")
    await_answer(whatsapp, guest)
    dsn = lab.environment["DATABASE_URL"].replace("postgresql+psycopg2://", "postgresql://")

    def count_jobs() -> int:
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()
            assert row is not None
            return int(row[0])

    wait_until(lambda: count_jobs() == 0, WAIT_S, "the jobs to be deleted")


def test_a_worker_is_alive_while_its_event_loop_turns(lab: Lab) -> None:
    lab.frontdesk("run", "worker", "--check")
    for worker in lab.workers:
        worker.stop()
    with pytest.raises(LabError):
        lab.frontdesk("run", "worker", "--check")


def test_a_worker_that_has_done_its_share_ends_by_itself(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str
) -> None:
    for worker in lab.workers:
        worker.stop()
    with start(lab.environment | {"WORKER_MAX_TURNS": "1"}) as worn:
        whatsapp.send(guest, to=HOST, text="Is there parking?")
        assert len(await_answer(whatsapp, guest)) == 1
        assert worn.wait(WAIT_S) == 0


def test_on_sqlite_a_worker_says_that_it_is_not_needed_and_idles(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    with start(environment) as process:
        assert process.stderr is not None
        assert "no worker is needed" in process.stderr.readline()
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
        assert process.stderr.read() == ""
    assert not is_alive(Settings(data_dir=tmp_path))


def test_procrastinate_on_sqlite_is_one_sentence(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "TURN_ENGINE": "procrastinate"}
    with start(environment) as process:
        assert process.wait(WAIT_S) == 1
        assert process.stderr is not None
        assert "TURN_ENGINE: Value error, procrastinate needs PostgreSQL" in process.stderr.read()


@contextmanager
def start(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A worker; it is killed at the end if it has not ended."""
    command = [FRONTDESK, "run", "worker"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()

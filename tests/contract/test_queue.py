"""A queue of turns runs a key that is put, once at a time for what waits: in-process and over PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from server.adapters.event_loop import EventLoopThread, InProcessQueue
from server.adapters.procrastinate_queue import ProcrastinateQueue
from server.adapters.procrastinate_worker import ProcrastinateWorker
from server.ports.queue import TurnQueue, Work
from simulators.lab import wait_until
from tests.support.databases import PostgresTemplate

WAIT_S = 10
LEASE_S = 2.0

StartQueue = Callable[[Work], TurnQueue]


class Recorder:
    """Work that notes its keys; what is in ``gates`` waits there, what is in ``faults`` fails."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()
        self.gates: dict[str, threading.Event] = {}
        self.faults: set[str] = set()

    async def __call__(self, key: str) -> None:
        self.runs[key] += 1
        if key in self.faults:
            raise ValueError(key)
        if key in self.gates:
            await asyncio.to_thread(self.gates[key].wait, WAIT_S)

    def await_runs(self, key: str, times: int) -> None:
        wait_until(lambda: self.runs[key] >= times, WAIT_S, f"{key} to run {times} times")


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged. The default renderer would spend seconds on the local variables of a fault."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def dsn(postgres_template: PostgresTemplate) -> Iterator[str]:
    """A fresh migrated PostgreSQL database, as psycopg 3 reads it."""
    with postgres_template.fresh() as url:
        yield url.replace("postgresql+psycopg2://", "postgresql://")


@pytest.fixture(params=["in-process", "procrastinate"])
def start(request: pytest.FixtureRequest, dsn: str) -> Iterator[StartQueue]:
    """Starts a queue, and what runs its keys."""
    loop = EventLoopThread(worker_threads=8)
    loop.start()
    working: list[Future[None]] = []
    queues: list[TurnQueue] = []

    def start_queue(work: Work) -> TurnQueue:
        if request.param == "in-process":
            queues.append(InProcessQueue(loop, work, concurrency=8))
        else:
            working.append(loop.submit(ProcrastinateWorker(dsn, 8, LEASE_S).run(work)))
            queues.append(ProcrastinateQueue(dsn))
        return queues[-1]

    yield start_queue
    for queue in queues:
        queue.close()
    for future in working:
        future.cancel()
        with suppress(CancelledError):
            future.result(WAIT_S)
    loop.drain(WAIT_S)
    loop.stop()


def test_a_key_that_is_put_runs(start: StartQueue, recorder: Recorder) -> None:
    start(recorder).put("1")
    recorder.await_runs("1", 1)


def test_a_key_put_while_it_runs_runs_once_more(start: StartQueue, recorder: Recorder) -> None:
    recorder.gates["1"] = threading.Event()
    queue = start(recorder)
    queue.put("1")
    recorder.await_runs("1", 1)
    queue.put("1")
    recorder.gates["1"].set()
    recorder.await_runs("1", 2)


def test_keys_run_beside_one_another(start: StartQueue, recorder: Recorder) -> None:
    recorder.gates["slow"] = threading.Event()
    queue = start(recorder)
    queue.put("slow")
    recorder.await_runs("slow", 1)
    queue.put("quick")
    recorder.await_runs("quick", 1)
    assert recorder.runs["slow"] == 1
    recorder.gates["slow"].set()


def test_a_key_that_fails_stops_no_other_and_may_come_again(start: StartQueue, recorder: Recorder) -> None:
    recorder.faults.add("bad")
    queue = start(recorder)
    queue.put("bad")
    recorder.await_runs("bad", 1)
    queue.put("good")
    recorder.await_runs("good", 1)
    queue.put("bad")
    recorder.await_runs("bad", 2)


def test_put_waits_for_no_run_from_any_thread(start: StartQueue, recorder: Recorder) -> None:
    is_put = threading.Event()
    recorder.gates.update((str(key), is_put) for key in range(200))
    queue = start(recorder)

    def put_many(first: int) -> None:
        for key in range(first, first + 100):
            queue.put(str(key))

    threads = [threading.Thread(target=put_many, args=(first,)) for first in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()
    is_put.set()
    wait_until(lambda: len(recorder.runs) == 200, WAIT_S, "all keys to run")


def test_what_waits_already_is_not_put_twice(dsn: str) -> None:
    queue = ProcrastinateQueue(dsn)
    for _ in range(3):
        queue.put("1")
        queue.put("2")
    queue.close()
    assert sorted(waiting(dsn)) == ["1", "2"]


def test_two_processes_that_put_the_same_keys_put_them_once(dsn: str) -> None:
    queues = [ProcrastinateQueue(dsn) for _ in range(3)]
    for key in range(50):
        for queue in queues:
            queue.put(str(key))
    for queue in queues:
        queue.close()
    assert Counter(waiting(dsn)) == Counter(str(key) for key in range(50))


def test_a_key_that_is_marked_as_being_done_is_put_all_the_same(dsn: str) -> None:
    # A worker that lives may not have been able to take its mark back.
    start_job(dsn, "1", heartbeat_age_s=0)
    queue = ProcrastinateQueue(dsn)
    queue.put("1")
    queue.close()
    assert waiting(dsn) == ["1"]


def test_a_worker_forgets_what_dead_workers_were_at_and_keeps_nothing_of_its_own(
    dsn: str, recorder: Recorder
) -> None:
    start_job(dsn, "orphan", heartbeat_age_s=LEASE_S + 1)
    loop = EventLoopThread(worker_threads=4)
    loop.start()
    recorder.faults.add("bad")
    working = loop.submit(ProcrastinateWorker(dsn, 4, LEASE_S).run(recorder))
    queue = ProcrastinateQueue(dsn)
    for key in ("good", "bad"):
        queue.put(key)
    recorder.await_runs("good", 1)
    recorder.await_runs("bad", 1)
    wait_until(lambda: count_jobs(dsn) == 0, WAIT_S, "no job to be left")
    queue.close()
    working.cancel()
    loop.drain(WAIT_S)
    loop.stop()
    assert recorder.runs["orphan"] == 0


def test_a_database_that_is_away_fails_nobody_and_is_found_again(dsn: str) -> None:
    queue = ProcrastinateQueue(dsn)
    queue.put("1")
    wait_until(lambda: waiting(dsn) == ["1"], WAIT_S, "the first key to be added")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    queue.put("lost")
    # Losing an entry is harmless: the sweep puts it again.

    def is_added() -> bool:
        queue.put("2")
        return "2" in waiting(dsn)

    wait_until(is_added, WAIT_S, "a key to be added again")
    queue.close()


def test_a_worker_whose_database_is_gone_ends_when_it_is_asked_to(dsn: str, recorder: Recorder) -> None:
    loop = EventLoopThread(worker_threads=4)
    loop.start()
    working = loop.submit(ProcrastinateWorker(dsn, 4, LEASE_S).run(recorder))
    queue = ProcrastinateQueue(dsn)
    queue.put("1")
    recorder.await_runs("1", 1)
    queue.close()
    name = dsn.rpartition("/")[2]
    with psycopg.connect(dsn.replace(name, "postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
    working.cancel()
    before = time.monotonic()
    loop.drain(3 * WAIT_S)
    loop.stop()
    assert time.monotonic() - before < 2 * WAIT_S


def start_job(dsn: str, key: str, heartbeat_age_s: float) -> None:
    """A job that a worker has taken up, and when the worker was last heard of."""
    with psycopg.connect(dsn) as connection:
        worker = connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s * interval '1 second')"
            " RETURNING id",
            [heartbeat_age_s],
        ).fetchone()
        assert worker is not None
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status, worker_id)"
            " VALUES ('conversations', 'drain', %s, 'doing', %s)",
            [key, worker[0]],
        )


def waiting(dsn: str) -> list[str]:
    """Keys of the jobs that nobody has taken up."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT args ->> 'key' FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"
        )
        return [row[0] for row in rows]


def count_jobs(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()
        assert row is not None
        return int(row[0])

"""Conversations that have work, carried to workers through procrastinate's tables on PostgreSQL.

This end only adds jobs, with one statement for all that came in meanwhile; `procrastinate_worker` runs them.
procrastinate's own way costs two round trips a key, and half a second of imports in the web process.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping

import psycopg
import structlog

QUEUE = "conversations"
TASK = "drain"
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 5_000
# After a fault: what is put meanwhile waits, and is given up if it fails again.
PAUSE_S = 1.0
CLOSE_S = 2.0

# The unique index over what waits makes a key that waits already a conflict. A worker whose heartbeat is
# older than a lease is dead as far as anybody knows.
_ADD = """
INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
SELECT %(queue)s, %(task)s, wanted.key, jsonb_build_object('key', wanted.key)
FROM unnest(%(keys)s::text[], %(swept)s::boolean[]) AS wanted (key, swept)
WHERE NOT wanted.swept OR NOT EXISTS (
    SELECT FROM procrastinate_jobs AS job JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND job.queueing_lock = wanted.key
      AND worker.last_heartbeat > now() - %(lease_s)s * interval '1 second'
)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""

log = structlog.get_logger(__name__)


class ProcrastinateQueue:
    """The ``TurnQueue`` port: a thread of its own adds the jobs, so that whoever puts a key never waits.

    Safe to make before a fork: thread and connection come with the first key.

    Args:
        dsn: of the database, as psycopg 3 reads it.
        lease_s: how old a worker's heartbeat may be.
    """

    def __init__(self, dsn: str, lease_s: float) -> None:
        self._dsn = dsn
        self._lease_s = lease_s
        self._changed = threading.Condition()
        # Key → whether only a sweep has put it.
        self._waiting: dict[str, bool] = {}
        self._is_open = True
        self._thread: threading.Thread | None = None
        self.for_sweeps = _SweepEnd(self)

    def put(self, key: str) -> None:
        """Wake *key*; from any thread, returns at once."""
        self.add(key, is_swept=False)

    def add(self, key: str, *, is_swept: bool) -> None:
        """Wake *key*; one that is swept only if nobody is at work on it."""
        with self._changed:
            if not self._is_open:
                return
            self._waiting[key] = is_swept and self._waiting.get(key, True)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Hand over what waits and end the thread."""
        with self._changed:
            self._is_open = False
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        connection: psycopg.Connection | None = None
        while keys := self._take():
            try:
                connection = connection or self._connect()
                self._insert(connection, keys)
            except psycopg.Error as error:
                log.warning("queue.not_added", keys=len(keys), error=type(error).__name__)
                _close(connection)
                connection = None
                self._pause()
        _close(connection)

    def _take(self) -> Mapping[str, bool]:
        """All that waits, once something does; nothing when the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._is_open)
            keys, self._waiting = self._waiting, {}
            return keys

    def _insert(self, connection: psycopg.Connection, keys: Mapping[str, bool]) -> None:
        # Sorted: two processes that add the same keys must not wait for one another crosswise.
        ordered = sorted(keys)
        connection.execute(
            _ADD,
            {
                "queue": QUEUE,
                "task": TASK,
                "keys": ordered,
                "swept": [keys[key] for key in ordered],
                "lease_s": self._lease_s,
            },
        )

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
        )

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_open, timeout=PAUSE_S)


class _SweepEnd:
    """The ``WorkQueue`` port for sweeps."""

    def __init__(self, queue: ProcrastinateQueue) -> None:
        self._queue = queue

    def put(self, key: str) -> None:
        """Wake *key* unless a living worker is at work on it."""
        self._queue.add(key, is_swept=True)


def _close(connection: psycopg.Connection | None) -> None:
    if connection is not None:
        with contextlib.suppress(psycopg.Error):
            connection.close()

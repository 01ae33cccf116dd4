"""Conversations that have work, carried to workers through procrastinate's tables on PostgreSQL.

This end only adds jobs, with one statement for all that came in meanwhile; `procrastinate_worker` runs them.
procrastinate's own way costs two round trips a key, and half a second of imports in the web process.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection

import psycopg
import structlog

QUEUE = "conversations"
TASK = "drain"
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 5_000
# After a fault: what is put meanwhile waits, and is given up if it fails again.
PAUSE_S = 1.0
CLOSE_S = 2.0

# The unique index over what waits makes a key that waits already a conflict. What is marked as being done
# is none: a database that goes away at the wrong moment leaves that mark on what nobody does.
_ADD = """
INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
SELECT %(queue)s, %(task)s, wanted.key, jsonb_build_object('key', wanted.key)
FROM unnest(%(keys)s::text[]) AS wanted (key)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""

log = structlog.get_logger(__name__)


class ProcrastinateQueue:
    """The ``TurnQueue`` port: a thread of its own adds the jobs, so that whoever puts a key never waits.

    Safe to make before a fork: thread and connection come with the first key.

    Args:
        dsn: of the database, as psycopg 3 reads it.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._changed = threading.Condition()
        self._waiting: set[str] = set()
        self._is_open = True
        self._thread: threading.Thread | None = None

    def put(self, key: str) -> None:
        """Wake *key*; from any thread, returns at once."""
        with self._changed:
            if not self._is_open:
                return
            self._waiting.add(key)
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

    def _take(self) -> Collection[str]:
        """All that waits, once something does; nothing when the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._is_open)
            keys, self._waiting = self._waiting, set()
            return keys

    def _insert(self, connection: psycopg.Connection, keys: Collection[str]) -> None:
        # Sorted: two processes that add the same keys must not wait for one another crosswise.
        connection.execute(_ADD, {"queue": QUEUE, "task": TASK, "keys": sorted(keys)})

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


def _close(connection: psycopg.Connection | None) -> None:
    if connection is not None:
        with contextlib.suppress(psycopg.Error):
            connection.close()

"""A procrastinate worker on an event loop that is there already."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import PoolTimeout

from server.adapters.procrastinate_queue import CONNECT_TIMEOUT_S, QUEUE, STATEMENT_TIMEOUT_MS, TASK
from server.ports.queue import Work

# NOTIFY tells of a job at once; this is for what it misses.
POLL_S = 0.25
# Nobody asks for jobs to be aborted.
ABORT_POLL_S = 3600.0
CONNECTIONS = 4
DRAIN_S = 8.0
AGAIN_AFTER_S = 1.0
# A heartbeat reaches the others four times in a lease.
HEARTBEATS = 4

# Autovacuum comes once a minute; with every job deleted, that lets the table grow and fetching slow down.
DEAD_ROWS = 2_000
TIDY_EVERY_S = 5.0
TABLES = "procrastinate_jobs, procrastinate_events, procrastinate_workers"

_FORGET_STALLED = """
DELETE FROM procrastinate_jobs AS job
WHERE job.status = 'doing' AND NOT EXISTS (
    SELECT FROM procrastinate_workers AS worker
    WHERE worker.id = job.worker_id
      AND worker.last_heartbeat > now() - %(lease_s)s * interval '1 second'
)
"""
_COUNT_DEAD = """
SELECT coalesce(max(n_dead_tup), 0) AS dead FROM pg_stat_user_tables
WHERE relid IN ('procrastinate_jobs'::regclass, 'procrastinate_events'::regclass)
"""

log = structlog.get_logger(__name__)


class ProcrastinateWorker:
    """The ``WorkSource`` port.

    Jobs are deleted when they have ended, whichever way: the inbox knows what is due, and its sweep puts
    it again. So nothing grows.

    Args:
        dsn: of the database, as psycopg 3 reads it; a direct connection, not a pooler's: LISTEN needs one.
        concurrency: keys at work at the same time.
        lease_s: after so long without a heartbeat a worker's jobs are forgotten.
    """

    def __init__(self, dsn: str, concurrency: int, lease_s: float) -> None:
        self._dsn = dsn
        self._concurrency = concurrency
        self._lease_s = lease_s
        # At INFO it tells of every job.
        logging.getLogger("procrastinate").setLevel(logging.WARNING)

    async def run(self, work: Work) -> None:
        """Run jobs until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self._run_connected(work)
            except (ConnectorException, OperationalError, PoolTimeout, TimeoutError) as error:
                log.warning("worker.disconnected", error=type(error).__name__)
                if _is_cancelled():
                    # Saying goodbye to a database that is away failed, in place of the cancellation.
                    raise asyncio.CancelledError from None
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _run_connected(self, work: Work) -> None:
        app = App(connector=self._connector())

        @app.task(name=TASK, queue=QUEUE)
        async def drain(key: str) -> None:
            try:
                await work(key)
            except Exception as error:
                log.exception("queue.work_failed", key=key, error=type(error).__name__)

        try:
            await app.open_async()
            await self._run_opened(app)
        finally:
            # A pool that could not be opened has tasks of its own all the same.
            await app.close_async()

    async def _run_opened(self, app: App) -> None:
        stopping = asyncio.Event()
        tidying = asyncio.create_task(self._tidy(app, stopping))
        try:
            await app.run_worker_async(
                queues=[QUEUE],
                name="frontdesk",
                concurrency=self._concurrency,
                fetch_job_polling_interval=POLL_S,
                abort_job_polling_interval=ABORT_POLL_S,
                shutdown_graceful_timeout=DRAIN_S,
                listen_notify=True,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=self._lease_s / HEARTBEATS,
                stalled_worker_timeout=self._lease_s,
            )
        finally:
            # Asked, not cancelled: a cancellation in the middle of a statement can get lost.
            stopping.set()
            await tidying

    def _connector(self) -> PsycopgConnector:
        return PsycopgConnector(
            conninfo=self._dsn,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=CONNECT_TIMEOUT_S,
            kwargs={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
            },
        )

    async def _tidy(self, app: App, stopping: asyncio.Event) -> None:
        """Forget what dead workers were at, and keep the tables small."""
        while not stopping.is_set():
            try:
                await app.job_manager.prune_stalled_workers(self._lease_s)
                await app.connector.execute_query_async(_FORGET_STALLED, lease_s=self._lease_s)
                row = await app.connector.execute_query_one_async(_COUNT_DEAD)
                if row["dead"] > DEAD_ROWS:
                    await self._vacuum()
            except (ConnectorException, OperationalError, PoolTimeout) as error:
                log.warning("worker.not_tidied", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), TIDY_EVERY_S)

    async def _vacuum(self) -> None:
        # Outside any transaction, and not twice at once.
        async with await AsyncConnection.connect(
            self._dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S
        ) as connection:
            await connection.execute(f"VACUUM (SKIP_LOCKED) {TABLES}")


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

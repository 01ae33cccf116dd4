"""Holds a lease for as long as the work under it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

import structlog

from server.domain.conversations import Lease
from server.errors import AppError, LeaseLost
from server.ports.store import LeaseStore

# A renewal must not wait for a thread behind the work that it is for.
_RENEWERS = ThreadPoolExecutor(2, thread_name_prefix="lease")

log = structlog.get_logger(__name__)


@asynccontextmanager
async def hold(leases: LeaseStore, key: str) -> AsyncIterator[Lease | None]:
    """The lease of *key*, renewed in the background and given back at the end; None if it is taken."""
    lease = await asyncio.to_thread(leases.claim, key)
    if lease is None:
        yield None
        return
    async with keep(leases, lease):
        yield lease


class Kept:
    """A lease that is being kept. Say so if what was saved last has given it back already."""

    is_given_back = False


@asynccontextmanager
async def keep(leases: LeaseStore, lease: Lease) -> AsyncIterator[Kept]:
    """Renew *lease*, which is ours, in the background, and give it back at the end."""
    kept = Kept()
    heartbeat = asyncio.create_task(_keep(leases, lease))
    try:
        yield kept
    finally:
        heartbeat.cancel()
        with suppress(asyncio.CancelledError):
            await heartbeat
        if not kept.is_given_back:
            await asyncio.to_thread(leases.release, lease)


async def _keep(leases: LeaseStore, lease: Lease) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(leases.renew_every_s)
        try:
            await loop.run_in_executor(_RENEWERS, leases.renew, lease)
        except LeaseLost:
            # The work goes on, and its fenced commit will be refused.
            log.warning("lease.lost", key=lease.key)
            return
        except AppError as error:
            log.warning("lease.not_renewed", key=lease.key, error=type(error).__name__)

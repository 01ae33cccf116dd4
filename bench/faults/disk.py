"""A full disk for one process, on any Linux and without rights: its limit of file sizes is lowered.

The kernel then refuses every write beyond the first page of a file (EFBIG, where a full disk says ENOSPC);
writes to sockets and pipes go on, and so do memory maps. Python, Node and PostgreSQL all ignore the signal
that comes with it.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bench.faults.process import Process

_FULL = 4096


@contextmanager
def full_disk(process: Process) -> Iterator[None]:
    """The disk is full for *process* and its children of this moment as long as the block runs."""
    pids = [one.pid for one in process.family()] if process.is_running else []
    before = {pid: limits for pid in pids if (limits := _limit(pid)) is not None}
    try:
        for pid, (_, hard) in before.items():
            _set(pid, (_FULL, hard))
        yield
    finally:
        # Children that came meanwhile have inherited the limit.
        for pid in {*before, *(one.pid for one in process.family())}:
            _set(pid, before.get(pid, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))


def _limit(pid: int) -> tuple[int, int] | None:
    with suppress(ProcessLookupError):
        return resource.prlimit(pid, resource.RLIMIT_FSIZE)
    return None


def _set(pid: int, limits: tuple[int, int]) -> None:
    # It may have been killed meanwhile.
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)

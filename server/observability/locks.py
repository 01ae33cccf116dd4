"""Locks that go with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FileLock:
    """The lock of a file, which is made if it is not there. Two of one process exclude one another too.

    A child that is forked holds it with its parent.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)

    def take(self) -> bool:
        """Have it, if nobody else has; returns at once."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_held(self) -> bool:
        """Whether somebody else has it. Several may ask at once without seeing one another."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return False

    def wait(self) -> None:
        """Have it, as soon as nobody else has."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def close(self) -> None:
        """Leave it to others, unless a child holds it too."""
        os.close(self._file)

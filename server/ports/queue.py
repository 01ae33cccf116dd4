"""What carries "there is work for this key now"."""

from __future__ import annotations

from typing import Protocol


class WorkQueue(Protocol):
    """Runs the work of a key soon, once at a time for each key. Losing an entry is harmless: the sweep
    finds what is due."""

    def put(self, key: str) -> None:
        """Wake *key*; from any thread, returns at once."""
        ...

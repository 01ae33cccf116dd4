"""A queue that runs nothing."""

from __future__ import annotations


class FakeQueue:
    """Keeps the ``WorkQueue`` port; ``keys`` are those that were woken, in order."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def put(self, key: str) -> None:
        """Note *key*."""
        self.keys.append(key)

"""Recordings in memory."""

from __future__ import annotations

import io
from datetime import datetime
from typing import BinaryIO

from server.ports.recordings import RecordedAudio


class FakeRecordings:
    """Keeps the ``RecordingStore`` port; ``outages`` are raised, one a call."""

    def __init__(self) -> None:
        self.begun: dict[str, tuple[str, str]] = {}
        self.seconds: dict[str, float] = {}
        self.outages: list[Exception] = []

    def begin(self, tenant_id: str, call_id: str) -> str:
        """Under the next number."""
        if self.outages:
            raise self.outages.pop(0)
        name = f"r{len(self.begun) + 1}"
        self.begun[name] = (tenant_id, call_id)
        return name

    def finish(self, name: str, seconds: float) -> None:
        """Keep how long it is."""
        self.seconds[name] = seconds

    def forget(self, before: datetime) -> int:  # noqa: ARG002
        """All of them."""
        count = len(self.begun)
        self.begun.clear()
        return count


class FakeWriter:
    """Keeps the ``RecordingWriter`` port; ``outages`` are raised, one a block."""

    def __init__(self) -> None:
        self.audio = b""
        self.blocks = 0
        self.is_finished = self.is_closed = False
        self.outages: list[Exception] = []

    def write(self, audio: bytes) -> None:
        """Keep it."""
        if self.outages:
            raise self.outages.pop(0)
        self.blocks += 1
        self.audio += audio

    def finish(self) -> None:
        """It is whole."""
        self.is_finished = True

    def close(self) -> None:
        """Take no more."""
        self.is_closed = True


class FakeShelf:
    """Keeps the ``RecordingShelf`` port, without a WAV's header."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], FakeWriter] = {}

    def begin(self, tenant_id: str, name: str) -> FakeWriter:
        """A new one."""
        return self.kept.setdefault((tenant_id, name), FakeWriter())

    def find(self, tenant_id: str, name: str) -> RecordedAudio | None:
        """One that is here."""
        kept = self.kept.get((tenant_id, name))
        if kept is None:
            return None
        file: BinaryIO = io.BytesIO(kept.audio)
        return RecordedAudio(file, len(kept.audio), kept.is_finished)

    def remove(self, tenant_id: str, name: str) -> None:
        """That one."""
        self.kept.pop((tenant_id, name), None)

    def forget(self, before: datetime) -> int:  # noqa: ARG002
        """All of them."""
        count = len(self.kept)
        self.kept.clear()
        return count

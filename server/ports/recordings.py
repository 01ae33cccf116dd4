"""Where recordings of calls are kept: that there is one, and how it sounds. All calls block."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Protocol

PROVIDER = "recordings"


class RecordingFault(StrEnum):
    """Why a recording cannot be kept or read: the ``reason`` of a ``ProviderError`` of ``PROVIDER``."""

    # The disk is nearly full.
    NO_ROOM = "no_room"
    # It was kept under another key, or somebody has changed it.
    DAMAGED = "damaged"


class RecordingStore(Protocol):
    """Which calls were recorded."""

    def begin(self, tenant_id: str, call_id: str) -> str:
        """A call of the tenant's is being recorded from now on; returns the recording's name, a new one.

        Raises:
            StoreUnavailable: nothing was saved.
        """
        ...

    def finish(self, name: str, seconds: float) -> None:
        """The recording is whole."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete those that were begun before then; returns how many."""
        ...


class RecordingWriter(Protocol):
    """A recording that is being made."""

    def write(self, audio: bytes) -> None:
        """Go on with *audio*: mu-law, 8,000 Hz, a byte of the caller and a byte of the desk in turn.

        Raises:
            ProviderUnavailable: there is no room, or the disk does not take it.
        """
        ...

    def finish(self) -> None:
        """It is whole.

        Raises:
            ProviderUnavailable: the disk does not take it.
        """
        ...

    def close(self) -> None:
        """Let go of it; one that is not finished can be read up to where it got."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedAudio:
    """A recording as a WAV file of ``size`` bytes: mu-law, 8,000 Hz, the caller left, the desk right.

    ``file`` can be sought in, and is closed by whoever has it. Reading it raises ``ProviderRejected`` where
    the recording was changed. ``is_complete`` is false while it is being made, and for good if that broke
    off.
    """

    file: BinaryIO
    size: int
    is_complete: bool


class RecordingShelf(Protocol):
    """Keeps recordings so that nobody else can read them."""

    def begin(self, tenant_id: str, name: str) -> RecordingWriter:
        """A new recording.

        Raises:
            ProviderUnavailable: there is no room, or the disk does not take it.
        """
        ...

    def find(self, tenant_id: str, name: str) -> RecordedAudio | None:
        """A recording of the tenant's, if it is here.

        Raises:
            ProviderRejected: it is none of ours, or was kept under another key.
            ProviderUnavailable: the disk does not give it.
        """
        ...

    def remove(self, tenant_id: str, name: str) -> None:
        """Delete a recording; nothing where there is none.

        Raises:
            ProviderUnavailable: the disk does not delete it.
        """
        ...

    def forget(self, before: datetime) -> int:
        """Delete what was written last before then; returns how many files."""
        ...

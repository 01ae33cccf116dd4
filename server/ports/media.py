"""What guests send beside words: where it is fetched, and where it is kept for staff. All calls block."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

PROVIDER = "media"


class MediaFault(StrEnum):
    """Why something could not be had: the ``reason`` of a ``ProviderError`` of ``PROVIDER``."""

    TOO_LARGE = "too_large"
    # The channel does not have it any more.
    GONE = "gone"
    NO_MEDIA = "no_media"
    CORRUPT = "corrupt"
    LATE = "late"
    NOT_CONNECTED = "not_connected"
    # It broke on the way.
    CUT = "cut"
    # The disk is nearly full.
    NO_ROOM = "no_room"
    REFUSED = "refused"


class MediaSource(Protocol):
    """The channel that a message came over."""

    def fetch(self, tenant_id: str, message: Mapping[str, object], into: BinaryIO, most_bytes: int) -> None:
        """Write what *message* carries, decrypted, as it comes; after an error *into* holds a part of it.

        Args:
            message: as `media_of` finds it in a message's details.

        Raises:
            ProviderTimeout: not all of it came in time.
            LineDown: the tenant's number is not connected.
            ProviderUnavailable: it may work later.
            ProviderRejected: it will never be had, or it is larger than *most_bytes*.
        """
        ...


class MediaShelf(Protocol):
    """Keeps what was fetched, one file for each message."""

    def find(self, tenant_id: str, message_id: int) -> Path | None:
        """The whole file, if it is here."""
        ...

    def keep(self, tenant_id: str, message_id: int) -> AbstractContextManager[BinaryIO]:
        """A file to write to; it is kept when the block ends, and is not if it raises.

        Raises:
            ProviderUnavailable: there is no room, or the disk does not take it.
        """
        ...

    def remove(self, tenant_id: str, message_id: int) -> None:
        """Delete the file, and what is being written of it; nothing where there is none.

        Raises:
            ProviderUnavailable: the disk does not delete it.
        """
        ...

    def forget(self, before: datetime) -> int:
        """Delete what was kept before then, and what was left half-written; returns how many files."""
        ...

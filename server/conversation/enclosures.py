"""What guests send beside words: fetched from the channel, kept for staff, and forgotten in time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from server.domain.messages import media_of
from server.errors import ProviderRejected
from server.ports.clock import Clock
from server.ports.media import PROVIDER, MediaFault, MediaShelf, MediaSource

# WhatsApp's own limit for pictures, films and recordings is 16 MB.
MOST_BYTES = 20 * 1024 * 1024


class Enclosures:
    """Each machine keeps files of its own: it fetches what the turns that it takes came with, and what is
    looked at on it.

    Args:
        kept: what is older is deleted, and not fetched any more.
    """

    def __init__(
        self,
        source: MediaSource,
        shelf: MediaShelf,
        clock: Clock,
        kept: timedelta,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._source = source
        self._shelf = shelf
        self._clock = clock
        self._kept = kept
        self._most_bytes = most_bytes

    def get(
        self, tenant_id: str, message_id: int, received_at: datetime, details: Mapping[str, object]
    ) -> Path:
        """The file that a message came with. Blocks for as long as the channel takes to give it, if it must.

        What is in it is the guest's: its kind need not be what the message says.

        Raises:
            ProviderError: it cannot be had; ``reason`` is a ``MediaFault``.
        """
        kept = self._shelf.find(tenant_id, message_id)
        if kept is not None:
            return kept
        media = media_of(details)
        if media is None:
            raise ProviderRejected(PROVIDER, MediaFault.NO_MEDIA)
        if received_at < self._clock.now() - self._kept:
            raise ProviderRejected(PROVIDER, MediaFault.GONE)
        with self._shelf.keep(tenant_id, message_id) as file:
            self._source.fetch(tenant_id, media, file, self._most_bytes)
        kept = self._shelf.find(tenant_id, message_id)
        if kept is None:
            raise ProviderRejected(PROVIDER, MediaFault.GONE)
        return kept

    def forget(self) -> None:
        """Delete what is too old."""
        self._shelf.forget(self._clock.now() - self._kept)

"""A guest is forgotten: every row, what was sent along, how calls sounded, and what WhatsApp's link keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from server.domain.conversations import Lease
from server.domain.modes import Actor
from server.domain.phrases import Phrase
from server.errors import Conflict, LeaseLost, ProviderError
from server.ports.guests import GuestDataStore, Holdings
from server.ports.media import MediaShelf
from server.ports.messaging import LinkMemory
from server.ports.recordings import RecordingShelf
from server.ports.store import LeaseStore

_AT_WORK = Phrase("the desk is at work on this conversation: try again in a moment")
_NO_LINK = Phrase(
    "the link to WhatsApp does not answer, and it keeps something of this guest: nothing was erased, try "
    "again when it is back"
)

log = structlog.get_logger(__name__)


class Eraser:
    """Erases guests while nobody answers or writes to them."""

    def __init__(
        self,
        guests: GuestDataStore,
        leases: LeaseStore,
        media: MediaShelf,
        recordings: RecordingShelf,
        link: LinkMemory,
    ) -> None:
        self._guests = guests
        self._leases = leases
        self._media = media
        self._recordings = recordings
        self._link = link

    def erase(self, tenant_id: str, guest_id: int, actor: Actor) -> None:
        """Erase the guest; whoever writes from the same number later is a new guest. Blocks.

        Raises:
            NotFound: the tenant has no such guest.
            Conflict: a turn runs, a message is on its way, the guest is on the phone, or the link to WhatsApp
                does not answer. No row or file was erased.
            ProviderUnavailable: the disk does not delete. Files may be gone, and all rows are still there.
        """
        known = self._guests.holdings(tenant_id, guest_id)
        with self._held(known.lease_keys) as leases:
            # While it cannot be asked nothing is gone; once it has forgotten, it can be asked again.
            self._forget_at_link(tenant_id, known)
            # Files before rows: after a crash in between, the rows still tell which files there are.
            self._remove_files(tenant_id, known)
            try:
                erased = self._guests.erase(leases, tenant_id, guest_id, actor)
            except LeaseLost as error:
                raise Conflict(_AT_WORK) from error
        # Somebody may have looked at one of them in between, which fetches it again.
        self._remove_files(tenant_id, erased)
        log.info("guest.erased", tenant_id=tenant_id, guest=guest_id)

    def _forget_at_link(self, tenant_id: str, held: Holdings) -> None:
        if not (held.addresses or held.told_ids):
            return
        try:
            self._link.forget(tenant_id, held.addresses, held.told_ids)
        except ProviderError as error:
            raise Conflict(_NO_LINK) from error

    def _remove_files(self, tenant_id: str, held: Holdings) -> None:
        for message_id in held.message_ids:
            self._media.remove(tenant_id, message_id)
        for name in held.recordings:
            self._recordings.remove(tenant_id, name)

    @contextmanager
    def _held(self, keys: Sequence[str]) -> Iterator[Sequence[Lease]]:
        leases: list[Lease] = []
        try:
            # In their order: two who erase at once must not each have what the other wants.
            for key in keys:
                lease = self._leases.claim(key)
                if lease is None:
                    raise Conflict(_AT_WORK)
                leases.append(lease)
            yield leases
        finally:
            for lease in leases:
                self._leases.release(lease)

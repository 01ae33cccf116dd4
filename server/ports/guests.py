"""All that is kept of one guest: handed out, and erased. All calls block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from server.domain.conversations import Lease
from server.domain.modes import Actor


@dataclass(frozen=True, slots=True)
class Holdings:
    """What erasing a guest needs to know: leases without which somebody may be at work on what is erased,
    and names of files.

    ``addresses`` are those by which the guest was on WhatsApp, ``told_ids`` the ids under which staff were
    told of the guest there; both are empty for a guest of whom the link knows nothing.
    """

    lease_keys: Sequence[str]
    message_ids: Sequence[int]
    recordings: Sequence[str]
    addresses: Sequence[str]
    told_ids: Sequence[str]


class GuestDataStore(Protocol):
    """Every row that tells of a guest."""

    def export(self, tenant_id: str, guest_id: int, actor: Actor) -> Mapping[str, Any]:
        """All of it as JSON has it, noted in the audit log.

        Raises:
            NotFound: the tenant has no such guest.
        """
        ...

    def holdings(self, tenant_id: str, guest_id: int) -> Holdings:
        """What must be held to erase the guest.

        Raises:
            NotFound: the tenant has no such guest.
            Conflict: the guest is on the phone.
        """
        ...

    def erase(self, leases: Sequence[Lease], tenant_id: str, guest_id: int, actor: Actor) -> Holdings:
        """Delete all of it, noted in the audit log; returns what there was in the end.

        Raises:
            NotFound: the tenant has no such guest.
            Conflict: there is more than *leases* are for, or the guest is on the phone. Nothing was deleted.
            LeaseLost: one of *leases* is not held any more. Nothing was deleted.
        """
        ...

"""Which sidecar holds a business's number, as the sidecars themselves keep it, and who has linked it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from server.domain.modes import Actor
from server.ports.clock import Clock
from server.store.audit import add_audit
from server.store.models import WhatsAppNumberRow, WhatsAppSidecarRow
from server.store.session import Database

# A sidecar shows itself four times a lease; one that is busy may miss some.
_SILENT_LEASES = 2


class NumberDirectory:
    """Reads where sidecars listen. Time is the database's.

    Args:
        lease_s: the sidecars' own ``LEASE_S``.
    """

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database = database
        self._silent = timedelta(seconds=_SILENT_LEASES * lease_s)

    def holder(self, tenant_id: str) -> str | None:
        """Where the sidecar listens that holds the tenant's number; None if none does.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        number = WhatsAppNumberRow
        with self._database.read() as session:
            return session.execute(
                select(number.url).where(
                    number.tenant_id == tenant_id,
                    number.owner.is_not(None),
                    number.held_until > func.clock_timestamp(),
                )
            ).scalar_one_or_none()

    def sidecars(self) -> list[str]:
        """Where all living sidecars listen, the one with the fewest numbers first.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        sidecar, number = WhatsAppSidecarRow, WhatsAppNumberRow
        held = (
            select(func.count())
            .where(number.owner == sidecar.name, number.held_until > func.clock_timestamp())
            .scalar_subquery()
        )
        with self._database.read() as session:
            return list(
                session.execute(
                    select(sidecar.url)
                    .where(sidecar.seen_at > func.clock_timestamp() - self._silent)
                    .order_by(held, sidecar.seen_at.desc())
                ).scalars()
            )


class NumberNotes:
    """Notes who links a business's number, or logs it out."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def note(self, tenant_id: str, actor: Actor, action: str) -> None:
        """*actor* is about to do it: whether the sidecar then can is not known here."""
        with self._database.write() as session:
            add_audit(session, tenant_id, actor, action, f"tenant {tenant_id}", self._clock.now())

"""WhatsApp numbers, and who holds their sockets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.models.base import Base, UtcDateTime


class WhatsAppNumberRow(Base):
    """Which sidecar holds a business's number. PostgreSQL only: elsewhere there is one sidecar.

    Written by the sidecars. Every write of theirs for the tenant carries ``token``, which grows with
    each claim.
    """

    __tablename__ = "whatsapp_numbers"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    # Wanted: linked, or being linked. A number that nobody wants is claimed by nobody.
    is_wanted: Mapped[bool]
    owner: Mapped[str | None] = mapped_column(String(96))
    # Where the owner listens, as Flask reaches it.
    url: Mapped[str | None] = mapped_column(String(256))
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    token: Mapped[int] = mapped_column(BigInteger)


class WhatsAppSidecarRow(Base):
    """A sidecar that is alive: where a number that nobody holds yet can be linked. PostgreSQL only."""

    __tablename__ = "whatsapp_sidecars"

    name: Mapped[str] = mapped_column(String(96), primary_key=True)
    url: Mapped[str] = mapped_column(String(256))
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WhatsAppEntryRow(Base):
    """One entry of a number's store: its identity, Signal keys, journal and sends. PostgreSQL only.

    ``table_name``, ``key`` and ``value`` are the sidecar's own words, see services/whatsapp/src/store.js.
    """

    __tablename__ = "whatsapp_entries"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class LineReportRow(Base):
    """What was last told of a business's number: a sidecar that tells nothing more has died."""

    __tablename__ = "line_reports"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    is_linked: Mapped[bool]
    # NULL: it was open.
    down_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)

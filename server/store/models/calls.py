"""Phone calls and their recordings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.models.base import Base, UtcDateTime


class CallRow(Base):
    """A phone call. The id is Twilio's CallSid, or of a test of staff's one of ours."""

    __tablename__ = "calls"
    __table_args__ = (
        Index(None, "conversation_id", "started_at"),
        Index(None, "tenant_id", "started_at"),
        Index(
            "ix_calls_continuing",
            "continue_at",
            sqlite_where=text("continue_at IS NOT NULL"),
            postgresql_where=text("continue_at IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    # As the network told it; empty where it was withheld. Of a test its chat key.
    caller: Mapped[str] = mapped_column(String(64))
    called: Mapped[str] = mapped_column(String(64))
    # What it goes on with once its media socket is closed.
    next_step: Mapped[str] = mapped_column(String(16))
    to_say: Mapped[str] = mapped_column(Text, default="")
    # Of the secret that opens its media socket, until it has.
    token_hash: Mapped[str | None] = mapped_column(String(64))
    token_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_because: Mapped[str] = mapped_column(String(32), default="")
    seconds: Mapped[int | None]
    # When it is looked whether it broke off; NULL before its end, and once that was done.
    continue_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecordingRow(Base):
    """A recording of a call. There is a row before there is a file, and each is deleted by its own age."""

    __tablename__ = "recordings"
    __table_args__ = (Index(None, "call_id"), Index(None, "begun_at"))

    # Of its file; made at random, so that no other ever has the same.
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"))
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # NULL while it is being made, and for good if that broke off.
    seconds: Mapped[float | None]

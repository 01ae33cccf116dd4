"""What models cost, and how far providers' limits are used up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.store.models.base import GIVEN_ONCE, Base, RowId, UtcDateTime


class ModelCallRow(Base):
    """One call to a language model, ended. Written after the reply, so it refers to no turn by a key."""

    __tablename__ = "model_calls"
    __table_args__ = (Index(None, "started_at"), Index(None, "turn_id"), GIVEN_ONCE)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    turn_id: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(128))
    outcome: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_token_ms: Mapped[float | None]
    total_ms: Mapped[float]
    waited_ms: Mapped[float]
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost_micros: Mapped[int] = mapped_column(BigInteger)


class SpendRow(Base):
    """What models have cost on one day of a business: in all (conversation 0), and for each conversation."""

    __tablename__ = "spend"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    # Of the business's zone, such as 2026-11-21.
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cost_micros: Mapped[int] = mapped_column(BigInteger)


class RateBucketRow(Base):
    """How far one provider key's limits are used up, for all processes together.

    ``*_at`` are the moments at which the bucket is full again, in seconds of a clock that all share.
    """

    __tablename__ = "rate_buckets"

    # A hash: keys are secrets.
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    requests_at: Mapped[float]
    tokens_at: Mapped[float]

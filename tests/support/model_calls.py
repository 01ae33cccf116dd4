"""Calls to models that have ended."""

from __future__ import annotations

from datetime import UTC, datetime

from server.domain.model_calls import CallOutcome, ModelCall
from server.domain.spending import AccountEntry


def a_call(cost_micros: int = 100) -> ModelCall:
    """One that was answered."""
    return ModelCall(
        provider="openai",
        model="gpt-4o-mini",
        outcome=CallOutcome.ANSWERED,
        started_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        first_token_ms=410.0,
        total_ms=900.5,
        waited_ms=0.0,
        prompt_tokens=800,
        completion_tokens=60,
        cost_micros=cost_micros,
    )


def an_entry(
    conversation_id: int, cost_micros: int, tenant_id: str = "1", day: str = "2026-11-21"
) -> AccountEntry:
    """Its line in the accounts."""
    return AccountEntry(tenant_id, conversation_id, "turn-1", day, a_call(cost_micros))

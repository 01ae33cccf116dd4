"""Calls to models, as they are kept."""

from __future__ import annotations

from server.domain.model_calls import CallOutcome, ModelCall
from server.store.models import ModelCallRow


def to_model_call(row: ModelCallRow) -> ModelCall:
    """The call."""
    return ModelCall(
        provider=row.provider,
        model=row.model,
        outcome=CallOutcome(row.outcome),
        started_at=row.started_at,
        first_token_ms=row.first_token_ms,
        total_ms=row.total_ms,
        waited_ms=row.waited_ms,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cost_micros=row.cost_micros,
    )

"""What became of each call to a language model: for accounts, budgets and measurements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CallOutcome(StrEnum):
    """How a call ended. All but ``ANSWERED`` and ``DROPPED`` are failures of the model's."""

    ANSWERED = "answered"
    # A limit of ours passed, to the first word or to the last.
    TIMED_OUT = "timed_out"
    UNAVAILABLE = "unavailable"
    REJECTED = "rejected"
    # We ended it: another call was quicker, or nobody waits for the answer any more.
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One call, ended.

    Times are milliseconds from the call; ``first_token_ms`` is None if no word came. ``waited_ms`` went to
    the rate limiter before it. Tokens of a call that did not end are estimates. ``cost_micros`` is in
    millionths of a US dollar.
    """

    provider: str
    model: str
    outcome: CallOutcome
    started_at: datetime
    first_token_ms: float | None
    total_ms: float
    waited_ms: float
    prompt_tokens: int
    completion_tokens: int
    cost_micros: int

"""One model in a chain: how to reach it, how it has been doing, whether to ask it at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.domain.model_calls import CallOutcome, ModelCall
from server.llm.breaker import Breaker, BreakerState
from server.llm.hedge import Hedge
from server.llm.profiles import ModelProfile
from server.observability.metrics import BREAKER_OPEN
from server.ports.ai import LanguageModel

_SHARE_OPEN = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 0.5, BreakerState.OPEN: 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStats:
    """How a model has been doing in this process since it started.

    ``failures`` hold ``timeouts``; ``dropped`` calls are neither those nor answers; ``hedged`` counts second
    requests. First-token times are milliseconds over the latest calls, None before the first.
    """

    provider: str
    model: str
    breaker: BreakerState
    calls: int
    failures: int
    timeouts: int
    dropped: int
    hedged: int
    last_used: datetime | None
    first_token_p50_ms: float | None
    first_token_p95_ms: float | None
    first_token_p99_ms: float | None


class Link:
    """A model with its breaker, its hedge and its figures; chains of one process may share it.

    Args:
        key: what the provider counts its limits by: the endpoint's key and the model.

    Attributes:
        hedged: second requests that were made.
    """

    def __init__(
        self, profile: ModelProfile, model: LanguageModel, key: str, breaker: Breaker, hedge: Hedge
    ) -> None:
        self.profile = profile
        self.model = model
        self.key = key
        self.breaker = breaker
        self.hedge = hedge
        self._outcomes = dict.fromkeys(CallOutcome, 0)
        self.hedged = 0
        self._last_used: datetime | None = None

    def may_hedge(self) -> bool:
        """Whether a second request may be made now; a yes is spent."""
        return self.breaker.state is BreakerState.CLOSED and self.hedge.may_spend()

    def ended(self, call: ModelCall) -> None:
        """A call to the model has ended."""
        self._outcomes[call.outcome] += 1
        self._last_used = call.started_at
        self.hedge.ended(call)
        # That we dropped a call says nothing of the model.
        if call.outcome is not CallOutcome.DROPPED:
            self.breaker.record(has_failed=call.outcome is not CallOutcome.ANSWERED)
        share = _SHARE_OPEN[self.breaker.state]
        BREAKER_OPEN.set(share, provider=self.profile.provider, model=self.profile.model)

    def stats(self) -> ModelStats:
        """Its figures; from any thread."""
        counts = dict(self._outcomes)
        calls, dropped = sum(counts.values()), counts[CallOutcome.DROPPED]
        first_tokens = self.hedge.first_tokens
        return ModelStats(
            provider=self.profile.provider,
            model=self.profile.model,
            breaker=self.breaker.state,
            calls=calls,
            failures=calls - dropped - counts[CallOutcome.ANSWERED],
            timeouts=counts[CallOutcome.TIMED_OUT],
            dropped=dropped,
            hedged=self.hedged,
            last_used=self._last_used,
            first_token_p50_ms=first_tokens.percentile(50),
            first_token_p95_ms=first_tokens.percentile(95),
            first_token_p99_ms=first_tokens.percentile(99),
        )

"""Turns what has happened into figures. Nothing here waits for anything."""

from __future__ import annotations

from collections.abc import Mapping

from server.domain.conversations import STEPS, Reply
from server.domain.model_calls import CallOutcome, ModelCall
from server.observability import metrics


def record_turn(channel: str, reply: Reply, seconds: float, slow_after_s: float) -> None:
    """A reply was committed.

    Args:
        seconds: from the arrival of the oldest message that it covers.
        slow_after_s: from when on a reply counts as slow.
    """
    outcome = "handover" if reply.handover else "answered"
    metrics.TURNS.inc(source=reply.source, outcome=outcome)
    metrics.REPLY_SECONDS.observe(seconds, channel=channel, source=reply.source)
    if seconds > slow_after_s:
        metrics.SLOW_REPLIES.inc(channel=channel)
    if reply.handover:
        metrics.HANDOVERS.inc(reason=reply.reason or "unnamed")
    if "first_token" in reply.steps_ms:
        metrics.FIRST_TOKEN_SECONDS.observe(reply.steps_ms["first_token"] / 1000, channel=channel)
    _record_steps(reply.steps_ms)


def record_turn_without_reply(outcome: str) -> None:
    """A turn ended otherwise: it was ``overtaken``, has ``failed``, or was left to staff, ``unanswered`` or
    ``drafted``."""
    metrics.TURNS.inc(source="none", outcome=outcome)


def record_model_call(call: ModelCall) -> None:
    """A call to a model has ended."""
    model = {"provider": call.provider, "model": call.model}
    metrics.MODEL_CALLS.inc(1, **model, outcome=call.outcome)
    metrics.LIMITER_WAIT_SECONDS.observe(call.waited_ms / 1000, provider=call.provider)
    metrics.MODEL_TOKENS.inc(call.prompt_tokens, **model, kind="prompt")
    metrics.MODEL_TOKENS.inc(call.completion_tokens, **model, kind="completion")
    metrics.MODEL_COST.inc(call.cost_micros / 1e6, **model)
    if call.first_token_ms is not None:
        metrics.MODEL_FIRST_TOKEN_SECONDS.observe(call.first_token_ms / 1000, **model)
    # One that nobody waited for says nothing of how long the model takes.
    if call.outcome is not CallOutcome.DROPPED:
        metrics.MODEL_SECONDS.observe(call.total_ms / 1000, **model)


def record_lookup(cache: str, age_s: float | None) -> None:
    """A cache was asked. *age_s* is how old what it had is; None if it had nothing."""
    metrics.CACHE_LOOKUPS.inc(cache=cache, result="miss" if age_s is None else "hit")
    if age_s is not None:
        metrics.CACHE_AGE_SECONDS.observe(age_s, cache=cache)


def _record_steps(steps_ms: Mapping[str, float]) -> None:
    before_ms = 0.0
    for step in STEPS:
        if step in steps_ms:
            metrics.STEP_SECONDS.observe(max(0.0, steps_ms[step] - before_ms) / 1000, step=step)
            before_ms = max(before_ms, steps_ms[step])

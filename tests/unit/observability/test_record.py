"""What a turn and a call leave in the figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from server.domain.conversations import Reply, ReplySource
from server.domain.model_calls import CallOutcome, ModelCall
from server.observability import metrics
from server.observability.figures import Figures
from server.observability.multiprocess import read_figures
from server.observability.record import (
    record_lookup,
    record_model_call,
    record_turn,
    record_turn_without_reply,
)

REPLY = Reply(text="7:30", source=ReplySource.MODEL, language="en")
CALL = ModelCall(
    provider="openai",
    model="small",
    outcome=CallOutcome.ANSWERED,
    started_at=datetime(2026, 11, 21, tzinfo=UTC),
    first_token_ms=400,
    total_ms=900,
    waited_ms=20,
    prompt_tokens=100,
    completion_tokens=20,
    cost_micros=30,
)


class Since:
    """What was counted since it was made."""

    def __init__(self) -> None:
        self._before = read_figures()

    def read(self) -> Figures:
        return read_figures().since(self._before)


@pytest.fixture
def since() -> Since:
    return Since()


def test_a_reply_is_counted_by_channel_and_source(since: Since) -> None:
    record_turn("chat", REPLY, 0.4, slow_after_s=10)
    told = since.read()
    assert told.total(metrics.TURNS, source="model", outcome="answered") == 1
    assert told.count(metrics.REPLY_SECONDS, channel="chat", source="model") == 1
    assert told.mean(metrics.REPLY_SECONDS) == pytest.approx(0.4)
    assert told.total(metrics.SLOW_REPLIES) == told.total(metrics.HANDOVERS) == 0
    assert told.count(metrics.FIRST_TOKEN_SECONDS) == 0


@pytest.mark.parametrize(("seconds", "slow"), [(9.99, 0), (10, 0), (10.01, 1)])
def test_a_reply_is_slow_beyond_the_setting(since: Since, seconds: float, slow: int) -> None:
    record_turn("whatsapp", REPLY, seconds, slow_after_s=10)
    assert since.read().total(metrics.SLOW_REPLIES, channel="whatsapp") == slow


def test_a_handover_is_counted_by_its_reason(since: Since) -> None:
    record_turn("chat", replace(REPLY, handover=True, reason="not_known"), 0.1, slow_after_s=10)
    told = since.read()
    assert told.total(metrics.TURNS, outcome="handover") == 1
    assert told.total(metrics.HANDOVERS, reason="not_known") == 1


def test_steps_are_spans_from_the_step_before(since: Since) -> None:
    steps = {"queued": 5.0, "context": 25.0, "first_token": 425.0, "gate": 400.0, "committed": 500.0}
    record_turn("chat", replace(REPLY, steps_ms=steps), 0.5, slow_after_s=10)
    told = since.read()
    spans = {step: told.mean(metrics.STEP_SECONDS, step=step) for step in steps}
    # The gate was done while words still came: it took nothing of the turn's time.
    assert spans == pytest.approx(
        {"queued": 0.005, "context": 0.02, "first_token": 0.4, "gate": 0, "committed": 0.075}
    )
    assert told.mean(metrics.FIRST_TOKEN_SECONDS, channel="chat") == pytest.approx(0.425)


def test_a_turn_without_a_reply_is_counted_too(since: Since) -> None:
    record_turn_without_reply("overtaken")
    assert since.read().total(metrics.TURNS, source="none", outcome="overtaken") == 1


def test_a_call_is_counted_with_its_tokens_and_its_price(since: Since) -> None:
    record_model_call(CALL)
    told = since.read()
    assert told.total(metrics.MODEL_CALLS, provider="openai", model="small", outcome="answered") == 1
    assert told.total(metrics.MODEL_TOKENS, kind="prompt") == 100
    assert told.total(metrics.MODEL_TOKENS, kind="completion") == 20
    assert told.total(metrics.MODEL_COST, model="small") == pytest.approx(0.00003)
    assert told.mean(metrics.LIMITER_WAIT_SECONDS, provider="openai") == pytest.approx(0.02)
    assert told.mean(metrics.MODEL_FIRST_TOKEN_SECONDS) == pytest.approx(0.4)
    assert told.mean(metrics.MODEL_SECONDS) == pytest.approx(0.9)


def test_a_call_that_we_dropped_says_nothing_of_how_long_the_model_takes(since: Since) -> None:
    record_model_call(replace(CALL, outcome=CallOutcome.DROPPED, first_token_ms=None))
    told = since.read()
    assert told.total(metrics.MODEL_CALLS, outcome="dropped") == 1
    assert told.count(metrics.MODEL_SECONDS) == told.count(metrics.MODEL_FIRST_TOKEN_SECONDS) == 0


def test_a_look_up_is_a_hit_with_an_age_or_a_miss(since: Since) -> None:
    record_lookup("answers", 30)
    record_lookup("answers", None)
    told = since.read()
    assert told.total(metrics.CACHE_LOOKUPS, cache="answers", result="hit") == 1
    assert told.total(metrics.CACHE_LOOKUPS, cache="answers", result="miss") == 1
    assert told.mean(metrics.CACHE_AGE_SECONDS, cache="answers") == 30

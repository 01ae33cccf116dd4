"""Our share of a reply."""

from __future__ import annotations

from bench.linked import HOST
from bench.reply import ECHO, Run, longer_of_both_ms, spent_elsewhere_ms
from bench.talk import Exchange


def _exchange(host: str, took_s: float | None, message_id: str = "") -> Exchange:
    return Exchange(
        message_id=message_id,
        host=host,
        sent_at=1000.0,
        typing_at=1000.01,
        replied_at=None if took_s is None else 1000.0 + took_s,
    )


def test_wait_and_model_count_once_where_they_overlap_and_searching_is_done_meanwhile() -> None:
    spans = {"queued": 7.0, "wait": 200.0, "retrieval": 9.0, "model": 500.0}
    assert spent_elsewhere_ms(spans) == 516.0
    assert spent_elsewhere_ms({**spans, "model": 50.0}) == 207.0
    assert longer_of_both_ms(spans) == 500.0


def test_searching_that_outlasts_the_wait_is_ours() -> None:
    assert spent_elsewhere_ms({"queued": 7.0, "wait": 200.0, "retrieval": 300.0, "model": 500.0}) == 707.0


def test_without_a_wait_only_the_model_is_not_ours() -> None:
    assert spent_elsewhere_ms({"queued": 7.0, "wait": 0.0, "retrieval": 9.0, "model": 500.0}) == 500.0


def test_our_share_is_the_round_trip_less_model_wait_and_echo() -> None:
    run = Run(
        setting="sqlite",
        drains="web",
        exchanges=[_exchange(HOST, 0.540, "a"), _exchange(ECHO, 0.020)],
        spans={"a": {"model": 500.0, "wait": 300.0}},
    )
    assert [round(share) for share in run.shares] == [20]


def test_a_message_without_a_reply_is_told_and_has_no_share() -> None:
    run = Run(
        setting="sqlite",
        drains="web",
        exchanges=[_exchange(HOST, 0.1, "a"), _exchange(HOST, None, "b"), _exchange(ECHO, 0.02)],
        spans={"a": {"wait": 50.0}},
    )
    figures = {figure.metric: figure for figure in run.figures()}
    assert figures["not answered"].value == 1
    assert figures["not answered"].holds is False
    assert len(run.shares) == 1

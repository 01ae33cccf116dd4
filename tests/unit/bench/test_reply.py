"""Our share of a reply."""

from __future__ import annotations

from bench.linked import HOST
from bench.reply import ECHO, Run, spent_elsewhere_ms
from bench.talk import Exchange


def _exchange(host: str, took_s: float | None, message_id: str = "") -> Exchange:
    return Exchange(
        message_id=message_id,
        host=host,
        sent_at=1000.0,
        typing_at=1000.01,
        replied_at=None if took_s is None else 1000.0 + took_s,
    )


def test_the_wait_counts_once_where_the_model_ran_meanwhile() -> None:
    assert spent_elsewhere_ms({"model": 500.0, "wait": 200.0, "retrieval": 9.0}) == 500.0
    assert spent_elsewhere_ms({"wait": 200.0, "knowledge": 20.0}) == 200.0


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

"""The verdict of ``bench faults`` sees every way in which the promise can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.faults.books import InboundEntry, OutboundEntry
from bench.faults.crowd import Question
from bench.faults.killer import Kill
from bench.faults.round import Result, progress_s, recoveries_s
from bench.faults.run import Wish
from bench.faults.verdict import Evidence, judge
from bench.faults.watch import Phase

GUEST = "972530000001"
ONE, TWO, THREE = "zqaaaaa", "zqbbbbb", "zqccccc"


def question(mark: str, number: int, guest: str = GUEST) -> Question:
    return Question(mark, guest, number, f"in-{mark}", 0.0)


def inbound(row: int, mark: str, reply: int | None, message_id: str = "") -> InboundEntry:
    return InboundEntry(row, 1, message_id or f"in-{mark}", f"{mark}: where?", reply is not None, reply, "")


def outbound(row: int, text: str, state: str = "delivered") -> OutboundEntry:
    return OutboundEntry(row, 1, f"out-{row}", text, "reply", state, 1.0, 2.0, 3.0)


def sound() -> Evidence:
    """Three questions, the first two of them answered with one reply."""
    return Evidence(
        questions=[question(ONE, 0), question(TWO, 1), question(THREE, 2)],
        received={GUEST: [("out-1", f"About {ONE}, {TWO}."), ("out-2", f"About {THREE}.")]},
        inbox=[inbound(1, ONE, 1), inbound(2, TWO, 1), inbound(3, THREE, 2)],
        outbox=[outbound(1, f"About {ONE}, {TWO}."), outbound(2, f"About {THREE}.")],
    )


def test_a_round_without_fault_holds() -> None:
    verdict = judge(sound())
    assert verdict.holds
    assert (verdict.messages, verdict.covered_once, verdict.resent) == (3, 3, 0)


def test_a_question_that_no_reply_names_is_lost() -> None:
    verdict = judge(replace(sound(), received={GUEST: [("out-1", f"About {ONE}, {TWO}.")]}))
    assert verdict.lost == [THREE]
    assert verdict.covered_once == 2
    assert not verdict.holds


def test_an_answer_on_another_guests_phone_covers_nothing() -> None:
    astray = {GUEST: sound().received[GUEST][:1], "972530000002": sound().received[GUEST][1:]}
    assert judge(replace(sound(), received=astray)).lost == [THREE]


def test_two_replies_to_one_question_double_it() -> None:
    twice = [*sound().received[GUEST], ("out-3", f"Once more about {THREE}.")]
    verdict = judge(replace(sound(), received={GUEST: twice}))
    assert verdict.doubled_by_id == [THREE]
    assert verdict.doubled_by_text == []
    assert not verdict.holds


def test_one_text_under_two_ids_is_doubled_by_text_too() -> None:
    twice = [*sound().received[GUEST], ("out-3", f"About {THREE}.")]
    verdict = judge(replace(sound(), received={GUEST: twice}))
    assert verdict.doubled_by_text == [THREE]
    assert verdict.doubled_by_id == [THREE]


def test_a_repeat_under_one_id_is_resent_and_not_doubled() -> None:
    again = [*sound().received[GUEST], ("out-2", f"About {THREE}.")]
    verdict = judge(replace(sound(), received={GUEST: again}))
    assert verdict.resent == 1
    assert verdict.holds


def test_replies_in_another_order_than_their_questions_are_out_of_order() -> None:
    swapped = [*reversed(sound().received[GUEST])]
    verdict = judge(replace(sound(), received={GUEST: swapped}))
    assert verdict.out_of_order == [ONE, TWO] * 2
    assert not verdict.holds


def test_another_order_within_one_reply_is_told_apart() -> None:
    text = f"About {TWO}, {ONE}."
    verdict = judge(replace(sound(), received={GUEST: [("out-1", text), ("out-2", f"About {THREE}.")]}))
    assert verdict.swapped_in_a_reply == [ONE]
    assert verdict.out_of_order == []
    assert judge(sound()).swapped_in_a_reply == []


def test_who_writes_over_a_disturbed_line_is_judged_by_the_order_of_arrival() -> None:
    arrived = [inbound(1, THREE, 2), inbound(2, ONE, 1), inbound(3, TWO, 1)]
    swapped = {GUEST: [*reversed(sound().received[GUEST])]}
    late = replace(sound(), inbox=arrived, received=swapped)
    assert judge(late).out_of_order
    assert judge(replace(late, disturbed=frozenset({GUEST}))).holds
    in_order_of_writing = replace(late, received=sound().received, disturbed=frozenset({GUEST}))
    assert THREE in judge(in_order_of_writing).out_of_order


@pytest.mark.parametrize(
    "inbox",
    [
        pytest.param([inbound(1, ONE, 1), inbound(2, TWO, 1)], id="missing"),
        pytest.param([*sound().inbox, inbound(4, THREE, 2)], id="twice"),
        pytest.param([*sound().inbox[:2], inbound(3, THREE, None)], id="not covered"),
        pytest.param([*sound().inbox[:2], inbound(3, THREE, 1)], id="covered by another reply"),
    ],
)
def test_a_message_that_the_database_holds_wrongly_is_misfiled(inbox: list[InboundEntry]) -> None:
    verdict = judge(replace(sound(), inbox=inbox))
    assert verdict.misfiled == [THREE]
    assert not verdict.holds


def test_a_reply_that_names_nothing_covers_what_the_database_says_it_covers() -> None:
    plain = replace(
        sound(),
        received={GUEST: [sound().received[GUEST][0], ("out-2", "Parking is free.")]},
        outbox=[sound().outbox[0], outbound(2, "Parking is free.")],
    )
    verdict = judge(plain)
    assert verdict.not_named == [THREE]
    assert verdict.holds


def test_a_reply_that_names_nothing_and_never_came_covers_nothing() -> None:
    plain = replace(
        sound(),
        received={GUEST: sound().received[GUEST][:1]},
        outbox=[sound().outbox[0], outbound(2, "Parking is free.")],
    )
    assert judge(plain).lost == [THREE]


def test_recovery_runs_from_the_kill_to_the_next_commit() -> None:
    outbox = [
        OutboundEntry(1, 1, "out-1", "Hello", "reply", "delivered", at, None, None) for at in (13.0, 11.5)
    ]
    kills = [Kill(at, "web-1", None, [], was_aimed=False) for at in (11.0, 12.0, 14.0)]
    assert recoveries_s(kills, outbox) == [0.5, 1.0]


def test_progress_runs_from_the_kill_to_the_next_progress_of_what_the_victim_held() -> None:
    outbox = [
        OutboundEntry(1, 1, "out-1", f"About {ONE}.", "reply", "delivered", 13.0, 15.0, 16.0),
        OutboundEntry(2, 1, "out-2", f"About {TWO}.", "reply", "delivered", 12.0, 19.0, 20.0),
    ]
    held = [ONE, TWO]
    kills = [
        Kill(10.0, "web-1", Phase.GENERATING, held, was_aimed=True),
        Kill(14.0, "web-1", Phase.SENDING, held, was_aimed=True),
        Kill(18.0, "sidecar-1", Phase.SENT, [TWO], was_aimed=True),
        Kill(18.0, "sidecar-1", None, [], was_aimed=False),
    ]
    assert progress_s(kills, outbox) == [2.0, 1.0, 2.0]


def test_a_result_is_the_same_after_it_was_kept_and_read() -> None:
    result = Result(
        verdict=judge(sound()),
        kills=[
            Kill(1.0, "web-1", Phase.INGEST, [ONE], was_aimed=True),
            Kill(2.0, "web-1", None, [], was_aimed=False),
        ],
        recoveries_s=[1.5],
        progress_s=[2.5],
        troubles={"disconnect 428": 2},
        ended_by_themselves={},
        calm_after_s=3.0,
        seconds=60.0,
    )
    assert Result.from_json(result.to_json()) == result


def test_rounds_add_up_to_the_kills_asked_for_and_differ_in_their_seeds() -> None:
    plans = Wish("sqlite", kills=250, seed=7, guests=20, kills_a_round=100).plans()
    assert [plan.kills for plan in plans] == [100, 100, 50]
    assert len({plan.seed for plan in plans}) == 3

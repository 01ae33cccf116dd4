"""What counts as out of order."""

from __future__ import annotations

from bench.order import Books

IN_ORDER = Books([(1, "A", [1, 2]), (2, "B", [3]), (1, "C", [4, 6]), (2, "D", [5])])


def test_replies_that_cover_messages_as_they_came_are_in_order() -> None:
    assert IN_ORDER.covered == 6
    assert IN_ORDER.out_of_order() == 0


def test_a_reply_to_an_earlier_message_behind_one_to_a_later_is_out_of_order() -> None:
    assert Books([(1, "A", [2]), (1, "B", [1, 3])]).out_of_order() == 1


def test_conversations_may_overtake_one_another() -> None:
    assert IN_ORDER.sent_out_of_order(["B", "D", "A", "notice", "C"]) == 0


def test_a_reply_that_leaves_behind_a_later_one_of_its_conversation_is_out_of_order() -> None:
    assert IN_ORDER.sent_out_of_order(["C", "B", "A", "D"]) == 1


def test_the_same_reply_sent_again_counts_where_it_was_first() -> None:
    assert IN_ORDER.sent_out_of_order(["A", "C", "A", "B", "D"]) == 0

"""Judges a round by what guests asked, what their phones received and what the database says. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.faults.books import InboundEntry, OutboundEntry
from bench.faults.crowd import Question, marks_in

_ON_THE_PHONE = ("sent", "delivered", "read")


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that there is to know after a round.

    ``received`` holds, by guest, the (id, text) of every message as their phone got it, repeats too. The
    messages of guests in ``disturbed`` may have been delivered late or in another order by a fault: they
    count in the order in which they arrived.
    """

    questions: Sequence[Question]
    received: Mapping[str, Sequence[tuple[str, str]]]
    inbox: Sequence[InboundEntry]
    outbox: Sequence[OutboundEntry]
    disturbed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the messages. Each list names the marks of the messages that it counts.

    ``doubled_by_text`` counts texts that came under more than one id; ``resent`` counts repeats under one id,
    which a real phone shows once. ``swapped_in_a_reply`` are answered together with an earlier message, and
    before it: told, and not counted as a fault. ``not_named`` were answered by a reply that names no message:
    only the database tells that they were.
    """

    messages: int = 0
    covered_once: int = 0
    resent: int = 0
    lost: list[str] = field(default_factory=list)
    doubled_by_id: list[str] = field(default_factory=list)
    doubled_by_text: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    swapped_in_a_reply: list[str] = field(default_factory=list)
    not_named: list[str] = field(default_factory=list)
    misfiled: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        faults = (self.lost, self.doubled_by_id, self.doubled_by_text, self.out_of_order, self.misfiled)
        return not any(faults)


def judge(evidence: Evidence) -> Verdict:
    """Whether each message is covered by exactly one reply that its guest received, in order.

    ``misfiled`` are messages that the database does not hold exactly once, or that are not covered there by
    the very reply that names them.
    """
    replies = {guest: _first_of_each_id(messages) for guest, messages in evidence.received.items()}
    covering = _covering(evidence, replies)
    told = _as_the_books_say(evidence, replies)
    asked = [question.mark for question in evidence.questions]
    return Verdict(
        messages=len(asked),
        covered_once=sum(len(covering[mark]) == 1 or (not covering[mark] and mark in told) for mark in asked),
        resent=sum(len(messages) - len(replies[guest]) for guest, messages in evidence.received.items()),
        lost=[mark for mark in asked if not covering[mark] and mark not in told],
        doubled_by_id=[mark for mark in asked if len(covering[mark]) > 1],
        doubled_by_text=list(_texts_under_two_ids(replies)),
        out_of_order=list(_out_of_order(evidence, replies)),
        swapped_in_a_reply=list(_swapped(evidence, replies)),
        not_named=[mark for mark in asked if not covering[mark] and mark in told],
        misfiled=list(_misfiled(evidence)),
    )


def _first_of_each_id(messages: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Texts by id, in the order in which each id came first."""
    texts: dict[str, str] = {}
    for message_id, text in messages:
        texts.setdefault(message_id, text)
    return texts


def _covering(evidence: Evidence, replies: Mapping[str, Mapping[str, str]]) -> dict[str, set[str]]:
    """Ids of the replies on the guest's own phone that name each mark."""
    covering: dict[str, set[str]] = {question.mark: set() for question in evidence.questions}
    owners = {question.mark: question.guest for question in evidence.questions}
    for guest, texts in replies.items():
        for message_id, text in texts.items():
            for mark in marks_in(text):
                if owners.get(mark) == guest:
                    covering[mark].add(message_id)
    return covering


def _as_the_books_say(evidence: Evidence, replies: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Marks of messages covered by a reply that names nothing, but that the guest has."""
    nameless = {
        entry.id: entry.message_id
        for entry in evidence.outbox
        if entry.state in _ON_THE_PHONE and not marks_in(entry.text)
    }
    received = {message_id for texts in replies.values() for message_id in texts}
    return {
        mark
        for entry in evidence.inbox
        if entry.covered_by is not None and nameless.get(entry.covered_by) in received
        for mark in marks_in(entry.text)
    }


def _texts_under_two_ids(replies: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for texts in replies.values():
        for text, times in Counter(texts.values()).items():
            if times > 1 and (marks := marks_in(text)):
                yield marks[0]


def _misfiled(evidence: Evidence) -> Iterator[str]:
    entries = defaultdict(list)
    for entry in evidence.inbox:
        entries[entry.message_id].append(entry)
    texts = {entry.id: entry.text for entry in evidence.outbox if entry.state in _ON_THE_PHONE}
    for question in evidence.questions:
        filed = entries[question.message_id]
        text = texts.get(filed[0].covered_by or 0) if len(filed) == 1 and filed[0].is_handled else None
        if text is None or (marks_in(text) and question.mark not in marks_in(text)):
            yield question.mark


def _out_of_order(evidence: Evidence, replies: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Marks that a reply names after an earlier reply has named a later message."""
    arrival = {entry.message_id: entry.id for entry in evidence.inbox}
    arrived = {question.mark: arrival.get(question.message_id, 0) for question in evidence.questions}
    written = {question.mark: question.number for question in evidence.questions}
    for guest, texts in replies.items():
        named = [[mark for mark in marks_in(text) if mark in written] for text in texts.values()]
        yield from _descents(named, arrived)
        if guest not in evidence.disturbed:
            yield from _descents(named, written)


def _swapped(evidence: Evidence, replies: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Marks that a reply names after a later one that it covers too, of guests on a sound line."""
    written = {question.mark: question.number for question in evidence.questions}
    for guest in replies.keys() - evidence.disturbed:
        for text in replies[guest].values():
            yield from _descents([[mark] for mark in marks_in(text) if mark in written], written)


def _descents(named: Sequence[Sequence[str]], places: Mapping[str, int]) -> Iterator[str]:
    furthest = -1
    for marks in named:
        yield from (mark for mark in marks if places[mark] < furthest)
        furthest = max([furthest, *(places[mark] for mark in marks)])

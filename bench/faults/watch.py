"""Where each message is at the moment: read from the wires, the phones and the database."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum

from bench.faults.background import Background
from bench.faults.books import Books, BooksClosed
from bench.faults.crowd import Crowd, marks_in
from simulators.http_tap import Call
from simulators.whatsapp_client import SimulatorError, WhatsAppSimulator

_POLL_S = 1.0
# A receipt that has not come by then will not come: the phone or a fault has kept it.
_RECEIPTS_S = 2.0
# The sidecar confirms a stanza once it is noted on its disk.
_IS_THERE = ("client.ack", "guest.receipt")
# The caller on a wire that several processes share.
EVERYBODY = "everybody"
_UNNOTED = ("sending", "sent")


class Phase(StrEnum):
    """Stations of a message, named for what has not happened yet when a process dies there."""

    JOURNAL = "journal"  # the sidecar has it, the server has not been asked
    INGEST = "ingest"  # on its way into the inbox
    GENERATING = "generating"  # the model is being asked
    COMMITTED = "committed"  # its reply stands in the outbox
    SENDING = "sending"  # the sidecar has been asked to send the reply
    SENT = "sent"  # WhatsApp has it; that is not noted, or its receipts are not


# Names of processes → the marks of the questions that they hold.
Holders = dict[str, set[str]]


class Watch:
    """Told of every call on the wires, it knows who holds what in which phase.

    Args:
        linked: the name of the sidecar that is connected to WhatsApp; empty if none is.
    """

    def __init__(
        self, whatsapp: WhatsAppSimulator, crowd: Crowd, books: Books, linked: Callable[[], str]
    ) -> None:
        self._whatsapp = whatsapp
        self._crowd = crowd
        self._books = books
        self._linked = linked
        self._changed = threading.Condition()
        self._open: set[Call] = set()
        self._journaled: set[str] = set()
        self._handed_over: set[str] = set()
        self._answered_by: dict[str, str] = {}  # mark → process that asked the model
        self._sent: dict[str, tuple[float, Call]] = {}  # reply's id → when, and the call
        self._stop = threading.Event()
        self._work = Background(self._follow_phones)

    def start(self) -> None:
        """Follow the phones too."""
        self._work.start()

    def stop(self) -> None:
        """Follow them no longer."""
        self._stop.set()
        self._work.end()

    def observe(self, call: Call) -> None:
        """A call has begun or ended."""
        with self._changed:
            if call.ended is None:
                self._open.add(call)
                self._begin(call)
            else:
                self._open.discard(call)
                self._end(call)
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Wait until something has moved."""
        with self._changed:
            self._changed.wait(timeout_s)

    def holders(self, phase: Phase) -> Holders:
        """Who holds messages in *phase* now."""
        if phase in (Phase.COMMITTED, Phase.SENT):
            found = self._holding_replies(phase)
        else:
            with self._changed:
                found = list(_HOLDING[phase](self))
        holders: Holders = {}
        for name, marks in found:
            if name and marks:
                holders.setdefault(name, set()).update(marks)
        return holders

    def held_by(self, process: str) -> Mapping[Phase, set[str]]:
        """What *process* holds, by phase."""
        return {phase: held for phase in Phase if (held := self.holders(phase).get(process))}

    def held_by_anybody(self) -> Mapping[Phase, set[str]]:
        """What all processes together hold, by phase."""
        return {phase: set().union(*held.values()) for phase in Phase if (held := self.holders(phase))}

    def _begin(self, call: Call) -> None:
        if _is_incoming(call):
            self._handed_over.update(_incoming_ids(call))

    def _end(self, call: Call) -> None:
        if _is_incoming(call) and call.status != 200:
            self._handed_over.difference_update(_incoming_ids(call))
        elif _is_model(call):
            self._answered_by.update(dict.fromkeys(_asked_marks(call), call.caller))
        elif call.path == "/send" and call.status == 200:
            self._sent[_sent_id(call)] = (time.monotonic(), call)

    def _in_journals(self) -> Iterator[tuple[str, set[str]]]:
        yield self._linked(), self._marks_of(self._journaled - self._handed_over)

    def _ingesting(self) -> Iterator[tuple[str, set[str]]]:
        for call in filter(_is_incoming, self._open):
            marks = self._marks_of(_incoming_ids(call))
            yield call.caller, marks
            yield call.callee, marks

    def _generating(self) -> Iterator[tuple[str, set[str]]]:
        for call in filter(_is_model, self._open):
            yield call.caller, set(_asked_marks(call))

    def _sending(self) -> Iterator[tuple[str, set[str]]]:
        for call in self._open:
            if call.path == "/send":
                marks = set(marks_in(json.loads(call.body)["text"]))
                yield call.caller, marks
                yield call.callee, marks

    def _holding_replies(self, phase: Phase) -> list[tuple[str, set[str]]]:
        states = ("committed",) if phase is Phase.COMMITTED else _UNNOTED
        try:
            entries = self._books.outbox(states)
        except BooksClosed:
            return []
        with self._changed:
            if phase is Phase.COMMITTED:
                return [
                    (self._answered_by.get(mark, ""), {mark})
                    for entry in entries
                    for mark in marks_in(entry.text)
                ]
            return [
                (self._noting(mark, sent[1]) if entry.state == "sending" else sent[1].callee, {mark})
                for entry in entries
                if (sent := self._sent.get(entry.message_id)) and sent[0] > time.monotonic() - _RECEIPTS_S
                for mark in marks_in(entry.text)
            ]

    def _noting(self, mark: str, sending: Call) -> str:
        """Who has sent a reply and has to note it; on a wire that all share, who has made the reply."""
        return self._answered_by.get(mark, "") if sending.caller == EVERYBODY else sending.caller

    def _marks_of(self, message_ids: Iterable[str]) -> set[str]:
        known = self._crowd.by_message_id
        return {known[message_id].mark for message_id in message_ids if message_id in known}

    def _follow_phones(self) -> None:
        after = 0
        while not self._stop.is_set():
            # The simulator is busy; it is asked again.
            with suppress(SimulatorError):
                events, after = self._whatsapp.events(after=after, timeout_s=_POLL_S)
                with self._changed:
                    for event in events:
                        if event["type"] in _IS_THERE:
                            self._journaled.add(event["id"])
                    self._changed.notify_all()


_HOLDING = {
    Phase.JOURNAL: Watch._in_journals,
    Phase.INGEST: Watch._ingesting,
    Phase.GENERATING: Watch._generating,
    Phase.SENDING: Watch._sending,
}


def _is_incoming(call: Call) -> bool:
    return call.path.endswith("/incoming")


def _is_model(call: Call) -> bool:
    return call.path.endswith("/chat/completions")


def _incoming_ids(call: Call) -> list[str]:
    return [message["key"]["id"] for message in json.loads(call.body)["payload"]["messages"]]


def _sent_id(call: Call) -> str:
    return str(json.loads(call.body).get("messageId", ""))


def _asked_marks(call: Call) -> list[str]:
    lines = [line for line in json.loads(call.body)["messages"] if line["role"] == "user"]
    last = str(lines[-1]["content"]).rpartition("<guest>")[2] if lines else ""
    return marks_in(last)

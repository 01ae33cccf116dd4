"""An installation on SQLite in which a test breaks things while guests ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import requests

from bench.faults.crowd import MARK, marks_in
from bench.faults.installation import HOST, TENANT, Installation
from simulators.http_tap import Call
from simulators.lab import wait_until
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator
from simulators.wire import Wire

ANSWER_TIMEOUT_S = 120.0

_guests = count(972530100001)
_marks = count()


class Scene:
    """Everything up and linked; each question has a mark that its answer names."""

    def __init__(
        self,
        installation: Installation,
        whatsapp: WhatsAppSimulator,
        model: OpenAISimulator,
        calls: list[Call],
    ) -> None:
        self.installation = installation
        self.whatsapp = whatsapp
        self.model = model
        self.calls = calls

    def new_guest(self) -> str:
        """The number of a guest who has not written yet."""
        number = str(next(_guests))
        self.whatsapp.add_guest(number)
        return number

    def ask(self, guest: str) -> str:
        """Ask something; returns the question's mark."""
        mark = "zq" + "".join("abcdefghij"[int(digit)] for digit in f"{next(_marks):05}")
        self.whatsapp.send(guest, to=HOST, text=f"{mark}: is there parking near the house?")
        return mark

    def answers(self, guest: str) -> list[str]:
        """The marks that replies on the guest's phone name, in the order of their first coming."""
        texts = {message["id"]: message["text"] for message in self.whatsapp.guest(guest)["received"]}
        return [mark for text in texts.values() for mark in marks_in(text)]

    def await_answers(self, guest: str, marks: Sequence[str]) -> None:
        """Wait until *marks* are answered, each once and in this order, and nothing waits any more."""
        self.await_answers_in_any_order(guest, marks)
        assert self.answers(guest) == list(marks)

    def await_answers_in_any_order(self, guest: str, marks: Sequence[str]) -> None:
        """Wait until *marks* are answered, each once: what a phone has to send again comes late."""
        wait_until(
            lambda: set(marks) <= set(self.answers(guest)) and self.installation.books.waiting() == 0,
            ANSWER_TIMEOUT_S,
            f"{len(marks)} answers for a guest, see {self.installation.folder}",
        )
        assert sorted(self.answers(guest)) == sorted(marks)

    def await_call(self, after: int, is_meant: Callable[[Call], bool], what: str) -> None:
        """Wait for a call that *is_meant* among those after the first *after* of ``calls``."""
        wait_until(lambda: any(is_meant(call) for call in self.calls[after:]), ANSWER_TIMEOUT_S, what)

    def wire(self, kind: str) -> Wire:
        """The one wire of that kind."""
        [wire] = self.installation.wires[kind]
        return wire

    def sidecar(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call the sidecar as the web process does, past the wire."""
        return self.installation.call_sidecar(method, path, body)

    def state(self) -> str:
        """The state of the number's link; empty while the sidecar is down."""
        try:
            return str(self.sidecar("GET", f"/tenants/{TENANT}")["state"])
        except requests.ConnectionError:
            return ""

    def await_state(self, *states: str) -> None:
        """Wait until the link is in one of *states*."""
        wait_until(lambda: self.state() in states, ANSWER_TIMEOUT_S, f"the link to be {' or '.join(states)}")

    def restart_sidecar(self) -> None:
        """Kill it, and wait until the number is linked again."""
        self.installation.supervisor.kill(self.installation.process("sidecar-1"))
        self.await_state("open")

    def connect(self) -> None:
        """Ask the sidecar to connect, as an operator does."""
        self.sidecar("POST", f"/tenants/{TENANT}/connect", {})


@contextmanager
def running_scene(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Scene]:
    """A scene for as long as the block runs; *settings* go to all processes."""
    calls: list[Call] = []
    with start_simulator() as whatsapp, start_openai_simulator() as model:
        model.control(echo=MARK)
        with Installation(folder, "sqlite", whatsapp, model, calls.append, settings) as installation:
            yield Scene(installation, whatsapp, model, calls)

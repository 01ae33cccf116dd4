"""Whatever breaks while guests ask: each question gets one answer, in order, once it is whole again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any

import pytest

from bench.faults.disk import full_disk
from bench.faults.installation import HOST
from simulators.http_tap import Call
from simulators.lab import LabError, wait_until
from simulators.wire import Wire
from tests.faults.scene import ANSWER_TIMEOUT_S, Scene

PASSING_CODES = (408, 428, 500, 503, 515)


@pytest.fixture(autouse=True)
def all_whole(scene: Scene) -> None:
    """Each test starts with everything whole."""
    scene.installation.mend()
    scene.whatsapp.clear_faults()
    scene.installation.await_ready()
    scene.await_state("open")


def is_message(call: Call) -> bool:
    """Whether the sidecar hands a message on."""
    return call.path.endswith("/incoming")


def is_refused_message(call: Call) -> bool:
    """Whether a message was handed on in vain."""
    return is_message(call) and call.status not in (None, 200)


@pytest.mark.parametrize("kind", ["server", "sidecar", "whatsapp"])
@pytest.mark.parametrize("break_wire", [Wire.cut, Wire.stall], ids=["cut", "stalled"])
def test_questions_asked_over_a_broken_wire_are_answered_once_it_is_whole(
    scene: Scene, kind: str, break_wire: Callable[[Wire], Coroutine[Any, Any, None]]
) -> None:
    guest = scene.new_guest()
    first = scene.ask(guest)
    scene.await_answers(guest, [first])
    do = scene.installation.switchboard.do
    do(break_wire(scene.wire(kind)))
    asked = [scene.ask(guest) for _ in range(3)]
    do(scene.wire(kind).mend())
    scene.await_answers(guest, [first, *asked])


def test_a_wire_that_breaks_between_a_sending_and_its_answer_doubles_nothing(scene: Scene) -> None:
    guest = scene.new_guest()
    wire = scene.wire("sidecar")
    do = scene.installation.switchboard.do
    scene.whatsapp.fault("ack-delay", ms=1000)
    before = len(scene.calls)
    question = scene.ask(guest)
    scene.await_call(before, lambda call: call.path == "/send", "the sending")
    do(wire.cut())
    wait_until(lambda: question in scene.answers(guest), ANSWER_TIMEOUT_S, "the reply on the phone")
    do(wire.mend())
    scene.await_answers(guest, [question])
    assert sum(scene.whatsapp.guest(guest)["timesById"].values()) == 1


def test_a_database_that_is_locked_for_long_loses_nothing(scene: Scene) -> None:
    guest = scene.new_guest()
    with closing(sqlite3.connect(scene.installation.database_file, timeout=10)) as database:
        database.execute("BEGIN EXCLUSIVE")
        before = len(scene.calls)
        asked = [scene.ask(guest) for _ in range(3)]
        scene.await_call(before, is_refused_message, "somebody to give up waiting for the lock")
        database.rollback()
    scene.await_answers(guest, asked)


def test_a_disk_that_is_full_for_the_web_process_loses_nothing(scene: Scene) -> None:
    guest = scene.new_guest()
    with full_disk(scene.installation.process("web-1")):
        before = len(scene.calls)
        asked = [scene.ask(guest), scene.ask(guest)]
        scene.await_call(before, is_refused_message, "the server to refuse what it cannot save")
    scene.await_answers(guest, asked)


def test_a_disk_that_is_full_for_the_sidecar_loses_nothing(scene: Scene) -> None:
    guest = scene.new_guest()
    sidecar = scene.installation.process("sidecar-1")
    with full_disk(sidecar):
        before, pid = len(scene.calls), sidecar.pid
        asked = [scene.ask(guest), scene.ask(guest)]

        def hands_on() -> bool:
            # LMDB may take the process down with it; the next one has a disk again.
            has_lived_on = sidecar.is_running and sidecar.pid == pid
            return has_lived_on and any(is_message(call) for call in scene.calls[before:])

        # Nothing is handed on that could not be written down first.
        with pytest.raises(LabError):
            wait_until(hands_on, 3, "a message handed on")
    scene.await_answers_in_any_order(guest, asked)


@pytest.mark.parametrize(
    ("code", "moment"),
    [(code, "now") for code in PASSING_CODES] + [(code, "client-message") for code in (428, 500, 503, 515)],
)
def test_a_disconnect_that_passes_loses_and_doubles_nothing(scene: Scene, code: int, moment: str) -> None:
    # A sidecar that has just been cut off waits longer each time; this one has not been.
    scene.restart_sidecar()
    guest = scene.new_guest()
    scene.whatsapp.fault("disconnect", code=code, at=moment)
    asked = [scene.ask(guest), scene.ask(guest)]
    scene.await_answers(guest, asked)


@pytest.mark.parametrize("code", [403, 405])
def test_a_number_that_whatsapp_refuses_loses_nothing_until_an_operator_connects_it(
    scene: Scene, code: int
) -> None:
    guest = scene.new_guest()
    scene.whatsapp.fault("disconnect", code=code)
    scene.await_state("blocked")
    asked = [scene.ask(guest), scene.ask(guest)]
    assert scene.answers(guest) == []
    scene.connect()
    scene.await_answers(guest, asked)


def test_a_link_that_another_program_uses_loses_nothing_until_the_sidecar_starts_again(scene: Scene) -> None:
    guest = scene.new_guest()
    scene.whatsapp.fault("disconnect", code=440)
    wait_until(lambda: scene.state() != "open", ANSWER_TIMEOUT_S, "the link to end")
    asked = [scene.ask(guest), scene.ask(guest)]
    assert scene.answers(guest) == []
    scene.restart_sidecar()
    scene.await_answers(guest, asked)


def test_a_removed_link_is_linked_anew_and_serves_again(scene: Scene) -> None:
    guest = scene.new_guest()
    before = scene.ask(guest)
    scene.await_answers(guest, [before])
    scene.whatsapp.unlink(HOST)
    scene.await_state("logged_out")
    scene.installation.link()
    after = scene.ask(guest)
    scene.await_answers(guest, [before, after])

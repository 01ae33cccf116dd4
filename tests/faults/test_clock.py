"""The machine's clock jumps, ahead or back: nothing is frozen, lost or answered twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.faults.crowd import MARK
from simulators.clock import SkewedClock
from simulators.http_tap import Call
from simulators.lab import wait_until
from tests.faults.scene import ANSWER_TIMEOUT_S, Scene, running_scene

HOUR_S = 3600
# Longer than the clock takes to jump.
THINKS_MS = 2000


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> SkewedClock:
    return SkewedClock(tmp_path_factory.mktemp("clock") / "skew")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, clock: SkewedClock) -> Iterator[Scene]:
    with running_scene(tmp_path_factory.mktemp("scene"), clock.environment) as running:
        yield running


@pytest.fixture(autouse=True)
def all_right(scene: Scene, clock: SkewedClock) -> None:
    """Each test starts with everything whole and the clock right."""
    clock.set(0)
    scene.model.control(echo=MARK)
    scene.installation.mend()
    scene.installation.await_ready()
    scene.await_state("open")


def is_model(call: Call) -> bool:
    """Whether the model is asked."""
    return call.path.endswith("/chat/completions")


@pytest.mark.parametrize("skew_s", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
def test_a_jump_while_the_model_thinks_costs_no_answer(scene: Scene, clock: SkewedClock, skew_s: int) -> None:
    guest = scene.new_guest()
    scene.model.control(echo=MARK, latency_first_token_ms=THINKS_MS)
    before = len(scene.calls)
    first = scene.ask(guest)
    scene.await_call(before, is_model, "the model to be asked")
    clock.set(skew_s)
    second = scene.ask(guest)
    scene.await_answers(guest, [first, second])


@pytest.mark.parametrize("skew_s", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
def test_a_reply_that_waits_for_its_next_attempt_is_not_frozen_by_a_jump(
    scene: Scene, clock: SkewedClock, skew_s: int
) -> None:
    guest = scene.new_guest()
    do = scene.installation.switchboard.do
    wire = scene.wire("sidecar")
    do(wire.cut())
    question = scene.ask(guest)
    outbox = scene.installation.books.outbox
    waiting = ["committed", "sending"]
    wait_until(lambda: len(outbox(waiting)) > 0, ANSWER_TIMEOUT_S, "a reply that could not be sent")
    clock.set(skew_s)
    do(wire.mend())
    scene.await_answers(guest, [question])


@pytest.mark.parametrize("skew_s", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
def test_what_waits_when_the_web_process_dies_is_taken_up_after_a_jump(
    scene: Scene, clock: SkewedClock, skew_s: int
) -> None:
    guest = scene.new_guest()
    scene.model.control(echo=MARK, latency_first_token_ms=THINKS_MS)
    before = len(scene.calls)
    question = scene.ask(guest)
    scene.await_call(before, is_model, "the model to be asked")
    web = scene.installation.process("web-1")
    clock.set(skew_s)
    scene.installation.supervisor.kill(web)
    scene.await_answers(guest, [question])

"""What a caller says is answered by the engine, but for what needs none."""

from __future__ import annotations

import pytest

from server.domain.conversations import Reply, Turn
from server.domain.events import Listener, nobody
from server.voice.asking import Asking
from server.voice.lines import Line, line
from tests.fakes.clock import FakeClock
from tests.fakes.work_queue import FakeQueue
from tests.support.phone_lines import a_call, a_reply


class FakeEngine:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, turn: Turn, listen: Listener = nobody) -> Reply:  # noqa: ARG002
        """Anything."""
        self.asked.append(turn.question)
        return a_reply("Help is coming.")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


async def reply_to(engine: FakeEngine, words: str) -> str:
    asking = Asking(engine, None, FakeQueue(), FakeClock())  # type: ignore[arg-type]
    return (await asking.answer(a_call(), 1, words, (), (), nobody)).text


async def test_an_address_is_read_back_without_the_engine(engine: FakeEngine) -> None:
    assert "dana@gmail.com" in await reply_to(engine, "dana at gmail dot com")
    assert engine.asked == []


@pytest.mark.parametrize(
    "words",
    ["When is breakfast?", "There is a fire, call me on 054-123-4567", "I want a person, 054-123-4567"],
)
async def test_questions_dangers_and_wishes_for_a_person_are_the_engines(
    engine: FakeEngine, words: str
) -> None:
    assert await reply_to(engine, words) == "Help is coming."
    assert engine.asked == [words]


@pytest.mark.parametrize(
    ("number", "told"),
    [("+972500000000", line(Line.TRANSFERRING, "en")), ("", "A person will get back to you.")],
    ids=["with a number to transfer to", "without"],
)
async def test_who_is_put_through_is_told_so_and_not_that_a_person_will_write(number: str, told: str) -> None:
    class Handing(FakeEngine):
        async def answer(self, turn: Turn, listen: Listener = nobody) -> Reply:  # noqa: ARG002
            return a_reply("A person will get back to you.", reason="asked_for_person", handover=True)

    asking = Asking(Handing(), None, FakeQueue(), FakeClock())  # type: ignore[arg-type]
    call = a_call(transfer_number=number)
    assert (await asking.answer(call, 1, "A person, please.", (), (), nobody)).text == told

"""Whatever is down when a guest writes: one answer comes when it is back, in order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import select

from server.store.models import GuestRow, InboundRow
from server.store.session import Database
from simulators.lab import Lab, wait_until
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator

HOST = "972500000001"

_numbers = count(972530000001)


@pytest.fixture(scope="module")
def whatsapp() -> Iterator[WhatsAppSimulator]:
    with start_simulator() as simulator:
        simulator.add_host(HOST, name="Demo House")
        yield simulator


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAISimulator]:
    with start_openai_simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, whatsapp: WhatsAppSimulator, model: OpenAISimulator
) -> Iterator[Lab]:
    # The tests ask the same again, and the model is to be asked each time.
    settings = {**model.settings, "ANSWER_CACHE_S": "0"}
    with Lab(tmp_path_factory.mktemp("lab"), whatsapp, settings) as running:
        running.link("1", HOST)
        yield running


@pytest.fixture(autouse=True)
def all_running(lab: Lab, model: OpenAISimulator) -> None:
    """Each test starts with everything up."""
    model.control()
    for service in (lab.web, lab.sidecar):
        if not service.is_running:
            service.start()
    lab.await_link("1", "open")


@pytest.fixture
def guest(whatsapp: WhatsAppSimulator) -> str:
    number = str(next(_numbers))
    whatsapp.add_guest(number)
    return number


def received(whatsapp: WhatsAppSimulator, guest: str, messages: int) -> list[str]:
    """The guest's messages once there are so many; none of them came twice."""
    wait_until(
        lambda: len(whatsapp.guest(guest)["received"]) >= messages, 60, f"{messages} messages for the guest"
    )
    phone = whatsapp.guest(guest)
    assert set(phone["timesById"].values()) == {1}
    assert phone["textRepeats"] == 0
    return [message["text"] for message in phone["received"]]


def ask_and_settle(whatsapp: WhatsAppSimulator, guest: str, before: int) -> list[str]:
    """One more exchange: what was owed to the guest before it has come, or will not come."""
    whatsapp.send(guest, to=HOST, text="Thank you")
    return received(whatsapp, guest, before + 1)


@pytest.mark.parametrize("down", ["web", "sidecar"])
def test_a_guest_who_writes_while_something_is_down_gets_one_answer_when_it_is_back(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str, down: str
) -> None:
    service = lab.web if down == "web" else lab.sidecar
    service.stop()
    whatsapp.send(guest, to=HOST, text="What time is check-in?")
    service.start()
    answers = received(whatsapp, guest, 1)
    assert "15:00" in answers[0]
    assert len(ask_and_settle(whatsapp, guest, 1)) == 2


@pytest.mark.parametrize("down", ["web", "sidecar"])
def test_messages_of_an_outage_arrive_in_their_order(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str, down: str
) -> None:
    service = lab.web if down == "web" else lab.sidecar
    service.kill()
    written = [f"Hello {number}" for number in range(8)]
    for text in written:
        whatsapp.send(guest, to=HOST, text=text)
    service.start()
    wait_until(lambda: len(kept_texts(lab, guest)) >= len(written), 60, "all messages to be kept")
    assert kept_texts(lab, guest) == written


def kept_texts(lab: Lab, guest: str) -> list[str]:
    """What the inbox holds of a guest, in its order."""
    database = Database(f"sqlite:///{lab.folder / 'var' / 'frontdesk.db'}")
    with database.read() as session:
        rows = session.scalars(
            select(InboundRow.text)
            .join(GuestRow, GuestRow.id == InboundRow.guest_id)
            .where(GuestRow.phone == f"{guest}@s.whatsapp.net")
            .order_by(InboundRow.id)
        ).all()
    database.close()
    return list(rows)


@pytest.mark.parametrize("victim", ["web", "sidecar"])
def test_a_kill_while_the_model_thinks_costs_no_answer_and_doubles_none(
    lab: Lab, whatsapp: WhatsAppSimulator, model: OpenAISimulator, guest: str, victim: str
) -> None:
    model.control(latency_first_token_ms=1500)
    asked = len(model.asked())
    whatsapp.send(guest, to=HOST, text="Is there parking for my car?")
    wait_until(lambda: len(model.asked()) > asked, 30, "the model to be asked")
    service = lab.web if victim == "web" else lab.sidecar
    service.kill()
    service.start()
    received(whatsapp, guest, 1)
    model.control()
    assert len(ask_and_settle(whatsapp, guest, 1)) == 2


def test_a_stop_lets_a_running_turn_end(
    lab: Lab, whatsapp: WhatsAppSimulator, model: OpenAISimulator, guest: str
) -> None:
    model.control(latency_first_token_ms=1000)
    asked = len(model.asked())
    whatsapp.send(guest, to=HOST, text="Is there parking for my car?")
    wait_until(lambda: len(model.asked()) > asked, 30, "the model to be asked")
    assert lab.web.stop() == 0
    lab.web.start()
    received(whatsapp, guest, 1)
    assert len(model.asked()) == asked + 1


def test_a_model_that_hangs_is_not_waited_for(
    lab: Lab, whatsapp: WhatsAppSimulator, model: OpenAISimulator, guest: str
) -> None:
    model.control(hang="first_token")
    whatsapp.send(guest, to=HOST, text="What time is check-in?")
    assert "15:00" in received(whatsapp, guest, 1)[0]


def test_a_model_that_invents_a_price_does_not_reach_the_guest(
    lab: Lab, whatsapp: WhatsAppSimulator, model: OpenAISimulator, guest: str
) -> None:
    model.control(reply="Check-in costs only 987 euros, see http://evil.example")
    whatsapp.send(guest, to=HOST, text="What time is check-in?")
    said = received(whatsapp, guest, 1)[0]
    assert "987" not in said
    assert "evil" not in said


def test_a_linked_number_is_connected_again_by_itself(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str
) -> None:
    lab.sidecar.kill()
    lab.sidecar.start()
    lab.await_link("1", "open")
    whatsapp.send(guest, to=HOST, text="Hello")
    assert received(whatsapp, guest, 1)

"""A guest who waits is spoken of again by the desk that runs, until somebody answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from server.desk import Desk
from server.domain.messages import Channel, GuestAddress, OutboundMessage
from server.domain.modes import Actor, ModeBy
from server.domain.tenants import TenantSettings
from server.settings import Settings
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message

API = Actor(ModeBy.API)
WAIT_S = 60
# Somewhat more than the five of the setting, as the stores tell the time that really passes.
SIX_MINUTES = 360


class Postbox:
    """Keeps the ``ChannelSender`` port; a test waits for what comes."""

    def __init__(self) -> None:
        self._letters: SimpleQueue[OutboundMessage] = SimpleQueue()

    def send(self, message: OutboundMessage) -> None:
        """Keep *message*."""
        self._letters.put(message)

    def next(self) -> OutboundMessage:
        """The next that comes."""
        return self._letters.get(timeout=WAIT_S)


@pytest.fixture
def mail() -> Postbox:
    return Postbox()


@pytest.fixture
def hook() -> Postbox:
    return Postbox()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def running(
    desk: Desk, clock: FakeClock, mail: Postbox, hook: Postbox, tenants: Tenants, tmp_path: Path
) -> Iterator[Desk]:
    """A desk that looks who waits by a clock that is turned by hand."""
    tenants.update(
        "1",
        TenantSettings(
            name="Harbour House",
            staff_emails=("team@hotel.example",),
            staff_webhook="https://h.example/x",
            next_in_line=("owner@hotel.example",),
        ),
    )
    senders = {**desk.ports.senders, Channel.STAFF_EMAIL: mail, Channel.STAFF_WEBHOOK: hook}
    ports = replace(desk.ports, clock=clock, senders=senders, close=lambda: None)
    settings = Settings(data_dir=tmp_path, turn_wait_min_s=0, turn_wait_max_s=0)
    running = Desk(settings, ports)
    running.start()
    yield running
    running.stop()


def asks(desk: Desk, name: str, text: str) -> int:
    """A guest writes; returns the conversation."""
    address = GuestAddress(f"{name}@lid", lid=f"{name}@lid", name=name)
    (saved,) = desk.ports.inbox.save("1", [a_message(text, address=address)])
    return saved.conversation_id


def event(message: OutboundMessage) -> dict[str, Any]:
    kept = json.loads(message.text)
    assert isinstance(kept, dict)
    return kept


def test_the_team_hears_again_then_who_is_next_in_line_and_no_more_of_who_was_answered(
    running: Desk, clock: FakeClock, mail: Postbox, hook: Postbox
) -> None:
    maya = asks(running, "Maya", "Is there a helipad?")
    assert mail.next().text.startswith("Maya needs a person:\nIs there a helipad?\n")
    asks(running, "Dan", "Do you sell stamps?")
    assert mail.next().text.startswith("Dan needs a person:")
    assert ["reminder" in event(hook.next()) for _ in range(2)] == [False, False]

    clock.advance(SIX_MINUTES)
    again = [mail.next(), mail.next()]
    assert [message.to for message in again] == ["team@hotel.example"] * 2
    assert [message.text.partition(" has waited ")[0] for message in again] == ["Maya", "Dan"]
    assert [event(hook.next())["reminder"] for _ in range(2)] == [1, 1]

    running.ports.modes.write_as_staff("1", maya, "No, sorry.", API)
    clock.advance(SIX_MINUTES)
    # Who has waited for longer is spoken of first: if Maya still waited, it would be her.
    last = mail.next()
    assert (last.to, last.text.partition(" has waited ")[0]) == ("owner@hotel.example", "Dan")
    assert event(hook.next())["reminder"] == 2

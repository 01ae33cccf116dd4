"""A sidecar that has died tells nothing, and staff hear of it all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from server.app import create_app
from server.desk import Desk
from server.domain.messages import Channel, OutboundMessage
from server.domain.tenants import TenantSettings
from server.settings import Settings
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.integration.conftest import SECRET

PATIENCE_S = 120
LOOK_S = 20
WAIT_S = 60


class Mailbox:
    """Keeps the ``ChannelSender`` port; a test waits for what comes."""

    def __init__(self) -> None:
        self._mails: SimpleQueue[OutboundMessage] = SimpleQueue()

    def send(self, message: OutboundMessage) -> None:
        """Keep *message*."""
        self._mails.put(message)

    def next_subject(self) -> str:
        """The subject of the next mail that comes."""
        return self._mails.get(timeout=WAIT_S).text.splitlines()[0]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def watching(
    desk: Desk, clock: FakeClock, mailbox: Mailbox, tenants: Tenants, tmp_path: Path
) -> Iterator[Desk]:
    """A desk by a clock that is turned by hand, which has not been started."""
    tenants.update("1", TenantSettings(name="Harbour House", staff_emails=("owner@hotel.example",)))
    ports = replace(desk.ports, clock=clock, senders={Channel.STAFF_EMAIL: mailbox}, close=lambda: None)
    watching = Desk(Settings(data_dir=tmp_path, whatsapp_alert_after_s=PATIENCE_S), ports)
    yield watching
    watching.stop()


def report_open(desk: Desk) -> None:
    connection = {"state": "open", "linked": True, "since": None, "at": 0}
    answer = (
        create_app(desk, SECRET)
        .test_client()
        .post(
            "/webhook/whatsapp/status",
            json={"tenantId": "1", "payload": {"connection": connection}},
            headers={"X-Internal-Secret": SECRET},
        )
    )
    assert answer.status_code == 200


def test_staff_hear_of_a_sidecar_that_died_and_of_its_return(
    watching: Desk, mailbox: Mailbox, clock: FakeClock
) -> None:
    report_open(watching)
    for _ in range(PATIENCE_S // LOOK_S):
        watching.line_watch.look()
        clock.advance(LOOK_S)
    # Now the silence has lasted long enough, and it is the sweep that notices.
    watching.start()
    assert mailbox.next_subject() == "WhatsApp of Harbour House does not work"
    report_open(watching)
    assert mailbox.next_subject() == "WhatsApp of Harbour House works again"

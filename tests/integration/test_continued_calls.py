"""What a broken call left unsaid leaves by the same outbox as every reply, without anybody's doing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from server.desk import Desk
from server.domain.calls import CallTurn
from server.domain.messages import GuestAddress
from server.domain.tenants import TenantSettings
from server.store.models import CallRow
from server.store.session import Database
from server.store.tenants import Tenants
from simulators.lab import wait_until
from tests.fakes.senders import FakeSender
from tests.support.builders import GUEST, a_message
from tests.support.databases import SqliteTemplate
from tests.support.phone_lines import a_reply

NUMBER, CALLER, ANSWER = "+97231234567", "+972501111111", "Breakfast is at seven. It is free."
WITHIN_S = 60.0


@pytest.fixture
def database(sqlite_template: SqliteTemplate) -> Iterator[Database]:
    """That it holds on PostgreSQL too is proved by the contract of calls' ends."""
    with sqlite_template.fresh() as url:
        opened = Database(url)
        yield opened
        opened.close()


def test_a_guest_whose_call_broke_off_gets_the_answer_on_whatsapp_once(
    desk: Desk, tenants: Tenants, database: Database, sender: FakeSender
) -> None:
    tenants.update("1", TenantSettings(name="Harbour House", phone_numbers=(NUMBER,)))
    calls, clock = desk.ports.calls, desk.ports.clock
    address = GuestAddress(reply_to=GUEST, phone=GUEST)
    desk.ports.inbox.save("1", [a_message("Hello", address=address)])
    call = calls.ring("CA1", NUMBER, CALLER, 8)
    now = clock.now()
    cut = CallTurn(
        number=1, words="When is breakfast?", reply=a_reply(ANSWER), told="", started_at=now, ended_at=now
    )
    calls.record(call, cut)
    for _ in range(2):
        calls.end("CA1", "completed", 9)
    with database.write() as session:
        session.execute(update(CallRow).values(continue_at=now - timedelta(seconds=1)))
    desk.start()
    wait_until(lambda: any(ANSWER in text for text in texts(sender)), WITHIN_S, "the answer to be sent")
    assert sum(ANSWER in text for text in texts(sender)) == 1


def texts(sender: FakeSender) -> list[str]:
    return [message.text for message in sender.sent]

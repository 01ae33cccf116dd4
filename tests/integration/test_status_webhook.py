"""What the sidecar tells besides messages reaches whom it concerns."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.desk import Desk
from server.domain.messages import OutboundKind
from server.domain.tenants import TenantSettings
from server.errors import ProviderUnavailable
from server.store.models import ConversationRow, GuestRow, OutboxRow
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.senders import FakeLines
from tests.integration.conftest import SECRET

HEADERS = {"X-Internal-Secret": SECRET}
LID, PHONE = "111222333@lid", "972501234567@s.whatsapp.net"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def now_ms() -> int:
    return int(time.time() * 1000)


def report(client: FlaskClient, **payload: object) -> TestResponse:
    body = {"tenantId": "1", "payload": payload}
    return client.post("/webhook/whatsapp/status", json=body, headers=HEADERS)


def a_guest_writes(client: FlaskClient, jid: str) -> None:
    key = {"remoteJid": jid, "fromMe": False, "id": f"id of {jid}"}
    message = {"key": key, "messageTimestamp": int(time.time()), "message": {"conversation": "hi"}}
    body = {"tenantId": "1", "payload": {"messages": [message]}}
    assert client.post("/webhook/whatsapp/incoming", json=body, headers=HEADERS).status_code == 200


def kinds(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(OutboxRow.kind).order_by(OutboxRow.id)))


def test_a_line_that_stays_down_is_told_to_staff_and_so_is_its_return(
    client: FlaskClient, database: Database, tenants: Tenants
) -> None:
    tenants.update("1", TenantSettings(name="Harbour House", staff_emails=("owner@hotel.example",)))
    at = now_ms()
    down: dict[str, Any] = {"state": "deaf", "linked": True, "since": at - 30_000, "at": at}
    assert report(client, connection=down).status_code == 200
    assert kinds(database) == []
    for _ in range(3):
        report(client, connection=down | {"since": at - 125_000})
    assert kinds(database) == [OutboundKind.ALERT]
    for _ in range(3):
        report(client, connection={"state": "open", "linked": True, "since": None, "at": at})
    assert kinds(database) == [OutboundKind.ALERT, OutboundKind.ALL_CLEAR]


def test_two_addresses_of_one_guest_are_joined(client: FlaskClient, database: Database) -> None:
    a_guest_writes(client, PHONE)
    assert report(client, mappings=[{"lid": LID, "pn": PHONE}]).status_code == 200
    with database.read() as session:
        guest = session.scalars(select(GuestRow)).one()
    assert (guest.lid, guest.phone) == (LID, PHONE)


def test_a_guest_who_types_is_noted_until_they_stop(client: FlaskClient, database: Database) -> None:
    a_guest_writes(client, LID)

    def typing_until() -> object:
        with database.read() as session:
            return session.scalars(select(ConversationRow.guest_typing_until)).one()

    report(client, presence=[{"from": LID, "state": "composing", "at": now_ms()}])
    assert typing_until() is not None
    report(client, presence=[{"from": LID, "state": "paused", "at": now_ms()}])
    assert typing_until() is None


def test_a_message_that_could_not_be_read_is_told_once(
    client: FlaskClient, database: Database, tenants: Tenants
) -> None:
    tenants.update("1", TenantSettings(name="Harbour House", staff_emails=("owner@hotel.example",)))
    for _ in range(2):
        report(client, unreadable=[{"id": "A", "from": LID, "at": now_ms()}])
    assert kinds(database) == [OutboundKind.NOTICE]


@pytest.mark.parametrize(
    "payload",
    [
        {"mappings": [{"lid": PHONE, "pn": LID}]},
        {"mappings": "none"},
        {"presence": [{"from": LID, "state": "dancing"}]},
        {"presence": [{"from": "somebody", "state": "paused"}]},
        {"unreadable": [{"from": LID, "at": 1}]},
        {"unreadable": [{"id": "A", "from": LID, "at": "noon"}]},
        {"connection": {"state": "deaf", "linked": True, "since": "noon", "at": 1}},
        {"receipts": [{"id": "A", "status": "eaten", "at": 1}]},
    ],
)
def test_what_cannot_be_read_is_refused(client: FlaskClient, payload: dict[str, Any]) -> None:
    assert report(client, **payload).status_code == 422


def test_health_shows_the_lines_of_whose_key_it_is(client: FlaskClient, desk: Desk) -> None:
    assert client.get("/health").status_code == 401
    headers = {"Authorization": f"Bearer {desk.ports.keys.create('1')}"}
    lines = desk.ports.lines
    assert isinstance(lines, FakeLines)
    assert client.get("/health", headers=headers).get_json()["numbers"] == []
    lines.numbers = [
        {"tenantId": "1", "state": "open", "banRisk": 0.1},
        {"tenantId": "2", "state": "deaf", "banRisk": 0},
    ]
    answer = client.get("/health", headers=headers)
    assert answer.status_code == 200
    assert [line["tenantId"] for line in answer.get_json()["numbers"]] == ["1"]
    lines.outage = ProviderUnavailable("whatsapp", "no answer in 1 s")
    told = client.get("/health", headers=headers).get_json()
    assert (told["status"], told["checks"]["whatsapp"]) == ("degraded", False)

"""The sidecar's webhook: a verdict for each message, and an error that says how to mend each fault."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.desk import Desk
from server.store.models import InboundRow, OutboxRow
from server.store.session import Database
from simulators.lab import wait_until
from tests.integration.conftest import SECRET

URL = "/webhook/whatsapp/incoming"
HEADERS = {"X-Internal-Secret": SECRET}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def wa(message_id: str, text: str = "hello", jid: str = "972501234567@s.whatsapp.net") -> dict[str, Any]:
    """A WAMessage of a guest."""
    key = {"remoteJid": jid, "fromMe": False, "id": message_id}
    return {"key": key, "messageTimestamp": int(time.time()), "message": {"conversation": text}}


def post(client: FlaskClient, *messages: object, tenant: object = "1") -> TestResponse:
    body = {"tenantId": tenant, "payload": {"messages": list(messages)}}
    return client.post(URL, json=body, headers=HEADERS)


def test_a_message_is_accepted_and_kept(client: FlaskClient, database: Database) -> None:
    answer = post(client, wa("A", "When is check-in?"))
    assert answer.status_code == 200
    assert answer.json == {"accepted": 1, "duplicates": 0, "ignored": 0, "rejected": []}
    with database.read() as session:
        assert session.scalars(select(InboundRow.text)).all() == ["When is check-in?"]


def test_the_same_body_twice_is_a_duplicate(client: FlaskClient, database: Database) -> None:
    post(client, wa("A"))
    assert post(client, wa("A")).json == {"accepted": 0, "duplicates": 1, "ignored": 0, "rejected": []}
    with database.read() as session:
        assert len(session.scalars(select(InboundRow.id)).all()) == 1


def test_the_same_message_twice_in_one_body_is_a_duplicate(client: FlaskClient) -> None:
    answer = post(client, wa("A"), wa("A")).json
    assert answer is not None
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)


def test_one_bad_message_does_not_hold_up_the_good_ones(client: FlaskClient) -> None:
    answer = post(client, wa("A"), {"key": {"id": "B"}}, wa("C"), wa("D", jid="1-2@g.us")).json
    assert answer is not None
    assert (answer["accepted"], answer["ignored"]) == (2, 1)
    assert [bad["id"] for bad in answer["rejected"]] == ["B"]
    assert "remoteJid" in answer["rejected"][0]["why"]


@pytest.mark.parametrize("secret", [None, "", "wrong", "the-internal-secre", "the-internal-secret2", "é"])
def test_a_missing_or_wrong_secret_is_refused(client: FlaskClient, secret: str | None) -> None:
    headers = {} if secret is None else {"X-Internal-Secret": secret}
    answer = client.post(URL, json={"tenantId": "1", "payload": {"messages": [wa("A")]}}, headers=headers)
    assert answer.status_code == 401


def test_an_unknown_tenant_is_not_found(client: FlaskClient) -> None:
    assert post(client, wa("A"), tenant="99").status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_bad_request(client: FlaskClient, body: bytes) -> None:
    answer = client.post(URL, data=body, headers=HEADERS)
    assert answer.status_code == 400
    assert answer.json is not None
    assert "JSON" in answer.json["error"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tenantId": 1, "payload": {"messages": []}},
        {"tenantId": "1"},
        {"tenantId": "1", "payload": []},
        {"tenantId": "1", "payload": {}},
        {"tenantId": "1", "payload": {"messages": {}}},
    ],
)
def test_an_envelope_that_says_too_little_is_unprocessable(client: FlaskClient, body: object) -> None:
    answer = client.post(URL, json=body, headers=HEADERS)
    assert answer.status_code == 422
    assert answer.json is not None
    assert len(answer.json["error"]) > 10


def test_two_megabytes_are_too_large(client: FlaskClient) -> None:
    answer = client.post(URL, data=b"x" * 2_000_000, headers=HEADERS)
    assert answer.status_code == 413
    assert answer.json is not None
    assert "send fewer" in answer.json["error"]


def test_a_path_that_is_not_there_is_a_json_error(client: FlaskClient) -> None:
    answer = client.get("/no/such/path")
    assert answer.status_code == 404
    assert answer.json is not None


def test_an_empty_batch_is_acknowledged(client: FlaskClient) -> None:
    assert post(client).json == {"accepted": 0, "duplicates": 0, "ignored": 0, "rejected": []}


def test_a_fault_of_ours_tells_nothing_of_the_inside(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/fault")
    def fault() -> str:
        raise RuntimeError("the password is 1234")

    answer = client.get("/fault")
    assert answer.status_code == 500
    assert "1234" not in json.dumps(answer.json)


def test_receipts_move_a_reply_on(client: FlaskClient, database: Database, desk: Desk) -> None:
    post(client, wa("A", "hello"))
    desk.start()
    with database.read() as session:
        wait_for_reply(database)
        message_id = session.scalars(select(OutboxRow.message_id)).one()
    body = {
        "tenantId": "1",
        "payload": {"receipts": [{"id": message_id, "status": "read", "at": 1763700000000}]},
    }
    assert client.post("/webhook/whatsapp/status", json=body, headers=HEADERS).json == {"known": 1}
    with database.read() as session:
        assert session.scalars(select(OutboxRow.state)).one() == "read"


def test_a_status_needs_the_secret(client: FlaskClient) -> None:
    assert client.post("/webhook/whatsapp/status", json={}).status_code == 401


def wait_for_reply(database: Database) -> None:
    """Until one reply has been sent."""

    def is_sent() -> bool:
        with database.read() as session:
            return session.scalars(select(OutboxRow.state)).all() == ["sent"]

    wait_until(is_sent, 10, "a reply")

"""The conversations' API: staff read, take over, write and hand back; a key opens its own tenant only."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from server.channels.conversations import MOST_ON_A_PAGE
from server.desk import Desk
from server.domain.messages import Channel, GuestAddress
from server.store.models import OutboxRow
from server.store.session import Database
from simulators.lab import wait_until
from tests.fakes.senders import FakeSender
from tests.support.builders import GUEST, a_message

URL = "/api/v1/conversations"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


class Api:
    """Calls with a key; what must not fail answers with its JSON."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str = "", status: int = 200, **query: object) -> Any:
        answer = self._client.get(URL + path, query_string=query, headers=self._headers)
        assert answer.status_code == status, answer.text
        return answer.json

    def post(self, path: str, body: object, status: int = 200) -> Any:
        answer = self._client.post(URL + path, json=body, headers=self._headers)
        assert answer.status_code == status, answer.text
        return answer.json


@pytest.fixture
def api(client: FlaskClient, desk: Desk) -> Api:
    return Api(client, desk.ports.keys.create("1"))


@pytest.fixture
def conversation(desk: Desk) -> int:
    """A guest's question that nobody has answered."""
    return desk.receiver.receive("1", [a_message("When is check-in?")])[0].conversation_id


def test_the_log_has_the_newest_conversation_first_in_pages(api: Api, desk: Desk) -> None:
    made = []
    for number in range(5):
        phone = f"9725{number:08}@s.whatsapp.net"
        message = a_message(f"question {number}", address=GuestAddress(phone, phone=phone, name=f"G{number}"))
        made.append(desk.receiver.receive("1", [message])[0].conversation_id)
    first = api.get(limit=3)
    second = api.get(limit=3, before=first["before"])
    assert [found["id"] for found in first["conversations"] + second["conversations"]] == made[::-1]
    assert second["before"] is None
    newest = first["conversations"][0]
    assert newest["guest"] == {"name": "G4", "phone": "+972500000004", "chat_key": None}
    assert (newest["mode"], newest["channel"], newest["needs_human"]) == ("ai", "whatsapp", False)


def test_conversations_are_filtered_by_mode_and_need(api: Api, desk: Desk, conversation: int) -> None:
    assert api.get(mode="human")["conversations"] == []
    api.post(f"/{conversation}/mode", {"mode": "human"})
    assert [found["id"] for found in api.get(mode="human")["conversations"]] == [conversation]
    assert api.get(needs_human="true")["conversations"] == []


def test_a_takeover_tells_what_it_has_cancelled(
    api: Api, conversation: int, database: Database, desk: Desk, sender: FakeSender
) -> None:
    answer = api.post(f"/{conversation}/mode", {"mode": "human"})
    assert answer == {"id": conversation, "mode": "human", "cancelled": 0}
    desk.start()
    desk.receiver.receive("1", [a_message("Hello?")])

    def is_closed() -> bool:
        lines = api.get(f"/{conversation}")["messages"]
        return not any(line.get("waiting") for line in lines)

    wait_until(is_closed, 20, "the messages to be left to staff")
    lines = api.get(f"/{conversation}")["messages"]
    assert [line["type"] for line in lines] == ["inbound", "event", "inbound"]
    assert (lines[1]["kind"], lines[1]["by"], lines[1]["mode"]) == ("takeover", "api", "human")
    assert lines[0]["unanswered_because"] == "human"
    assert sender.sent == []
    assert api.post(f"/{conversation}/mode", {"mode": "ai"})["mode"] == "ai"


def test_staff_write_and_the_guest_gets_it_once(
    api: Api, conversation: int, desk: Desk, sender: FakeSender
) -> None:
    first = api.post(f"/{conversation}/messages", {"text": " Noa here. ", "id": "m1"}, 202)
    again = api.post(f"/{conversation}/messages", {"text": "Noa here.", "id": "m1"}, 200)
    assert first["id"] == again["id"]
    assert first["state"] == "committed"
    refused = api.post(f"/{conversation}/messages", {"text": "Other words.", "id": "m1"}, 409)
    assert "new id" in refused["error"]
    desk.start()
    wait_until(lambda: len(sender.sent) == 1, 20, "the message to leave")
    assert (sender.sent[0].to, sender.sent[0].text) == (GUEST, "Noa here.")
    found = api.get(f"/{conversation}")
    assert found["mode"] == "human"
    staffs = [line for line in found["messages"] if line["type"] == "outbound"]
    assert [(line["id"], line["kind"], line["text"]) for line in staffs] == [
        (first["id"], "staff", "Noa here.")
    ]


def test_in_a_chat_the_words_of_staff_are_there_at_once(api: Api, desk: Desk) -> None:
    message = a_message(channel=Channel.CHAT, address=GuestAddress("c1", chat_key="c1"))
    conversation = desk.receiver.receive("1", [message])[0].conversation_id
    written = api.post(f"/{conversation}/messages", {"text": "Noa here."}, 202)
    assert written["state"] == "sent"
    assert desk.ports.outbox.due_lanes(10) == []


def test_a_long_conversation_comes_in_pages(api: Api, desk: Desk, conversation: int) -> None:
    for number in range(4):
        desk.receiver.receive("1", [a_message(f"more {number}")])
    newest = api.get(f"/{conversation}", limit=2)
    older = api.get(f"/{conversation}", limit=3, before=newest["before"])
    texts = [line["text"] for line in older["messages"] + newest["messages"]]
    assert texts == ["When is check-in?", "more 0", "more 1", "more 2", "more 3"]
    assert older["before"] is None


def test_another_tenants_conversation_does_not_exist(
    client: FlaskClient, desk: Desk, conversation: int, database: Database
) -> None:
    other = Api(client, desk.ports.keys.create("2"))
    assert other.get()["conversations"] == []
    for path in (f"/{conversation}", "/999", f"/{2**63}"):
        other.get(path, 404)
        other.post(f"{path}/mode", {"mode": "human"}, 404)
        other.post(f"{path}/messages", {"text": "Hi"}, 404)
    with database.read() as session:
        assert session.scalars(select(OutboxRow)).all() == []


@pytest.mark.parametrize("path", ["", "/1", "/1/mode", "/1/messages"])
def test_without_a_key_there_is_nothing(client: FlaskClient, path: str) -> None:
    call = client.post if path.count("/") == 2 else client.get
    assert call(URL + path).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("mode", {}),
        ("mode", {"mode": "off"}),
        ("mode", {"mode": ["ai"]}),
        ("messages", {}),
        ("messages", {"text": "  "}),
        ("messages", {"text": "x" * 8_001}),
        ("messages", {"text": "x", "id": ""}),
        ("messages", {"text": "x", "id": 7}),
    ],
)
def test_a_body_that_says_too_little_is_unprocessable(
    api: Api, conversation: int, path: str, body: dict[str, object]
) -> None:
    assert api.post(f"/{conversation}/{path}", body, 422)["error"]


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": MOST_ON_A_PAGE + 1}, {"limit": "x"}, {"mode": "x"}, {"needs_human": "x"}],
)
def test_a_question_that_cannot_be_meant_is_unprocessable(api: Api, query: dict[str, object]) -> None:
    assert api.get("", 422, **query)["error"]


def test_a_cursor_of_somebody_else_is_a_bad_request(api: Api, conversation: int) -> None:
    api.get("", 400, before="x")
    api.get(f"/{conversation}", 400, before="x")

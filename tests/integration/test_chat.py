"""The chat API answers on the call itself, to whoever has a key of that tenant."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from server.app import create_app
from server.channels.chat import chat_blueprint
from server.channels.key_limits import CallsPerMinute
from server.desk import Desk
from server.domain.knowledge import Document
from server.domain.messages import Channel, GuestAddress, InboundMessage
from server.inbox.answer import Answers
from server.store.models import ConversationRow, InboundRow
from server.store.session import Database
from tests.integration.conftest import SECRET
from tests.support.builders import a_message

URL = "/api/v1/chat"
THREADS = 8


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    desk.ports.knowledge.put_documents(
        "1", [Document("breakfast", "Breakfast", "Breakfast is served from 7:30 to 10:30.", "en")]
    )
    desk.start()
    return create_app(desk, SECRET).test_client()


@pytest.fixture
def headers(desk: Desk) -> dict[str, str]:
    return {"Authorization": f"Bearer {desk.ports.keys.create('1')}"}


def body(**changes: object) -> dict[str, object]:
    return {"tenant": "1", "conversation": "c1", "message": "Hello"} | changes


def test_a_greeting_is_answered_by_a_shortcut(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post(URL, json=body(), headers=headers)
    assert answer.status_code == 200
    reply = answer.json
    assert reply is not None
    assert set(reply) == {"reply", "citations", "handover", "source", "quick_replies", "timings_ms"}
    assert (reply["source"], reply["handover"]) == ("shortcut", False)


def test_the_same_words_again_are_another_message(client: FlaskClient, headers: dict[str, str]) -> None:
    for _ in range(2):
        answer = client.post(URL, json=body(), headers=headers).json
        assert answer is not None
        assert answer["reply"]


def test_the_same_id_again_is_the_same_message(
    client: FlaskClient, headers: dict[str, str], database: Database
) -> None:
    for _ in range(2):
        answer = client.post(URL, json=body(message_id="m-1"), headers=headers).json
        assert answer is not None
        assert answer["reply"]
    with database.read() as session:
        assert len(session.execute(select(InboundRow.id)).all()) == 1


def test_what_the_caller_wishes_is_kept_with_the_message(
    client: FlaskClient, headers: dict[str, str], database: Database
) -> None:
    client.post(URL, json=body(use_rag=False), headers=headers)
    with database.read() as session:
        assert session.scalars(select(InboundRow.details)).one() == {"use_rag": False}


def test_what_is_not_known_goes_to_the_team(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post(URL, json=body(message="Is there a helipad on the roof?"), headers=headers).json
    assert answer is not None
    assert answer["handover"] is True


def test_a_conversation_that_staff_took_over_gets_no_reply(
    client: FlaskClient, headers: dict[str, str], database: Database
) -> None:
    client.post(URL, json=body(), headers=headers)
    with database.write() as session:
        session.execute(update(ConversationRow).values(mode="human"))
    answer = client.post(URL, json=body(), headers=headers).json
    assert answer is not None
    assert (answer["reply"], answer["handover"]) == ("", True)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic abc"])
def test_without_a_key_nothing_is_answered(client: FlaskClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = client.post(URL, json=body(), headers=headers)
    assert answer.status_code == 401
    assert answer.json is not None
    assert "keys create" in answer.json["error"]


def test_a_key_opens_its_own_tenant_only(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post(URL, json=body(tenant="2"), headers=headers).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"message": ""},
        {"message": "  "},
        {"message": 7},
        {"message": "x" * 8_001},
        {"conversation": None},
        {"conversation": ""},
        {"tenant": None},
        {"message_id": ""},
        {"model": "gpt-9"},
        {"use_rag": "yes"},
        {"use_web_search": 0},
    ],
)
def test_a_request_that_says_too_little_is_unprocessable(
    client: FlaskClient, headers: dict[str, str], changes: dict[str, object]
) -> None:
    answer = client.post(URL, json=body(**changes), headers=headers)
    assert answer.status_code == 422
    assert answer.json is not None
    assert next(iter(changes)) in answer.json["error"]


def test_a_body_that_is_no_json_is_a_bad_request(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post(URL, data=b"hello", headers=headers).status_code == 400


def test_a_chat_client_and_a_whatsapp_guest_of_the_same_name_are_apart(desk: Desk) -> None:
    chat = a_message(channel=Channel.CHAT, address=GuestAddress("1@lid", chat_key="1@lid"))
    whatsapp = a_message(address=GuestAddress("1@lid", lid="1@lid"))
    saved = [desk.ports.inbox.save("1", [message])[0] for message in (chat, whatsapp)]
    assert saved[0].conversation_id != saved[1].conversation_id


def test_live_and_ready(client: FlaskClient) -> None:
    assert client.get("/livez").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "checks": {"database": True, "core": True}}


def test_a_desk_that_takes_no_turns_is_not_ready(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"]["core"] is False


class SlowAnswers:
    """Keeps callers waiting until told."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.gate = threading.Event()

    def answer(self, message: InboundMessage) -> None:  # noqa: ARG002
        self.begun.release()
        assert self.gate.wait(10)


def test_calls_leave_threads_for_webhooks(desk: Desk, headers: dict[str, str]) -> None:
    answers = SlowAnswers()
    slow = with_error_answers(
        desk, chat_blueprint(cast("Answers", answers), desk.ports.keys, threads=THREADS)
    )

    def call() -> int:
        return slow.test_client().post(URL, json=body(), headers=headers).status_code

    with ThreadPoolExecutor(THREADS // 2) as callers:
        waiting = [callers.submit(call) for _ in range(THREADS // 2)]
        for _ in waiting:
            assert answers.begun.acquire(timeout=10)
        refused = slow.test_client().post(URL, json=body(), headers=headers)
        answers.gate.set()
        assert [call.result() for call in waiting] == [200] * (THREADS // 2)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert call() == 200


def with_error_answers(desk: Desk, blueprint: Blueprint) -> Flask:
    """An application of one blueprint that answers errors as the real one does."""
    app = Flask("alone")
    app.register_blueprint(blueprint)
    for kind, handler in create_app(desk, SECRET).error_handler_spec[None][None].items():
        app.register_error_handler(kind, handler)
    return app


def test_a_key_that_calls_too_often_is_told_when_to_come_back(desk: Desk, headers: dict[str, str]) -> None:
    desk.start()
    blueprint = chat_blueprint(desk.answers, desk.ports.keys, CallsPerMinute(1))
    client = with_error_answers(desk, blueprint).test_client()
    first, second = (client.post(URL, json=body(), headers=headers) for _ in range(2))
    assert (first.status_code, first.headers["RateLimit-Remaining"]) == (200, "0")
    assert second.status_code == 429
    assert 1 <= int(second.headers["Retry-After"]) <= 60
    assert second.json is not None
    assert "call again in" in second.json["error"]
    other = {"Authorization": f"Bearer {desk.ports.keys.create('1')}"}
    assert client.post(URL, json=body(), headers=other).status_code == 200

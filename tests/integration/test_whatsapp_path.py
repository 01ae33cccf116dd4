"""The whole path with real processes: a guest's phone, WhatsApp, sidecar, Flask, database, and back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from server.store.models import ConversationRow, GuestRow, OutboxRow
from server.store.session import Database
from simulators.lab import Lab, LabError, wait_until
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator

HOST = "972500000001"
OTHER_HOST = "972500000007"
STAFF = "972500000099"

_numbers = count(972520000001)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_settings(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The default database, and a PostgreSQL of one's own."""
    if request.param == "sqlite":
        yield {}
        return
    with request.getfixturevalue("postgres_template").fresh() as url:
        yield {"DATABASE_URL": url}


@pytest.fixture(scope="module")
def whatsapp(database_settings: dict[str, str]) -> Iterator[WhatsAppSimulator]:
    with start_simulator() as simulator:
        simulator.add_host(HOST, name="Demo House")
        simulator.add_host(OTHER_HOST, name="Hill Inn")
        simulator.add_guest(STAFF, name="Reception")
        yield simulator


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, whatsapp: WhatsAppSimulator, database_settings: dict[str, str]
) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with Lab(folder, whatsapp, database_settings) as running:
        running.frontdesk("tenant", "set", "1", "staff_numbers", f"+{STAFF}")
        running.link("1", HOST)
        add_second_business(running, folder)
        yield running


def add_second_business(lab: Lab, folder: Path) -> None:
    """Tenant 7, which knows two things of its own."""
    documents = folder / "hill-inn.jsonl"
    documents.write_text(
        json.dumps(
            {"id": "parking", "title": "Where can I park?", "body": "Park in the barn behind the inn."}
        )
        + "\n"
        + json.dumps({"id": "check-in", "title": "When is check-in?", "body": "Check-in is from 17:30."})
        + "\n",
        encoding="utf-8",
    )
    lab.frontdesk("tenant", "add", "7", "--name", "Hill Inn")
    lab.frontdesk("knowledge", "import", str(documents), "--tenant", "7")
    lab.link("7", OTHER_HOST)


@pytest.fixture
def guest(whatsapp: WhatsAppSimulator) -> str:
    """A guest's phone that nobody has seen before."""
    number = str(next(_numbers))
    whatsapp.add_guest(number, name="Dana")
    return number


def ask(
    whatsapp: WhatsAppSimulator, guest: str, text: str, host: str = HOST, **options: Any
) -> dict[str, Any]:
    """What the guest's phone gets as the next message after writing *text*."""
    _, after = whatsapp.events()
    whatsapp.send(guest, to=host, text=text, **options)
    return whatsapp.wait_for("guest.received", guest, after=after)


def texts(whatsapp: WhatsAppSimulator, guest: str) -> list[str]:
    """All that the guest's phone shows, after counting that nothing came twice."""
    phone = whatsapp.guest(guest)
    assert set(phone["timesById"].values()) <= {1}
    assert phone["textRepeats"] == 0
    assert phone["undecryptable"] == 0
    return [message["text"] for message in phone["received"]]


def test_a_question_in_english_gets_its_answer_once(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str
) -> None:
    ask(whatsapp, guest, "What time is check-in?")
    answers = texts(whatsapp, guest)
    assert len(answers) == 1
    assert "15:00" in answers[0]


def test_a_question_in_hebrew_gets_its_answer_in_hebrew(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str
) -> None:
    ask(whatsapp, guest, "באיזו שעה הצ'ק-אין?")
    assert "15:00" in texts(whatsapp, guest)[0]
    assert any("א" <= letter <= "ת" for letter in texts(whatsapp, guest)[0])


def test_typing_is_shown_before_the_answer(lab: Lab, whatsapp: WhatsAppSimulator, guest: str) -> None:
    ask(whatsapp, guest, "Is there parking?")
    phone = whatsapp.guest(guest)
    composing = [seen["at"] for seen in phone["presence"] if seen["state"] == "composing"]
    assert composing
    assert composing[0] <= phone["received"][0]["at"]


@pytest.mark.parametrize("addressing", ["lid", "pn"])
def test_the_answer_goes_to_the_address_the_guest_wrote_from(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str, addressing: str
) -> None:
    whatsapp.change_guest(guest, addressing=addressing)
    ask(whatsapp, guest, "Hello")
    assert len(texts(whatsapp, guest)) == 1


def test_what_is_not_known_is_said_and_staff_hear_of_it(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str
) -> None:
    _, after = whatsapp.events()
    ask(whatsapp, guest, "Do you have a helicopter landing pad?")
    assert "team" in texts(whatsapp, guest)[0]
    notice = whatsapp.wait_for(
        "guest.received", STAFF, lambda event: "helicopter" in json.dumps(event), after=after
    )
    assert notice


def test_a_person_is_called_when_a_guest_asks_for_one(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str
) -> None:
    _, after = whatsapp.events()
    ask(whatsapp, guest, "I want to talk to a person please")
    whatsapp.wait_for("guest.received", STAFF, after=after)


def test_several_questions_of_one_guest_are_answered_in_order(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str
) -> None:
    ask(whatsapp, guest, "What time is check-in?")
    ask(whatsapp, guest, "Thank you!")
    ask(whatsapp, guest, "Are pets allowed?")
    answers = texts(whatsapp, guest)
    assert len(answers) == 3
    assert "15:00" in answers[0]


def test_each_business_answers_its_own_guests(lab: Lab, whatsapp: WhatsAppSimulator, guest: str) -> None:
    ask(whatsapp, guest, "When is check-in?", host=OTHER_HOST)
    ask(whatsapp, guest, "When is check-in?", host=HOST)
    theirs, ours = texts(whatsapp, guest)
    assert "17:30" in theirs
    assert "15:00" in ours
    assert "17:30" not in ours


def guest_ids(lab: Lab, guest: str) -> Sequence[int]:
    """Under which numbers of ours the guest is known."""
    with closing(open_database(lab)) as database, database.read() as session:
        known = select(GuestRow.id).where(GuestRow.phone == f"{guest}@s.whatsapp.net")
        return session.scalars(known).all()


def states(lab: Lab, guest: str) -> Sequence[str]:
    """What has become of the messages to the guest."""
    with closing(open_database(lab)) as database, database.read() as session:
        conversations = select(ConversationRow.id).where(
            ConversationRow.guest_id.in_(
                select(GuestRow.id).where(GuestRow.phone == f"{guest}@s.whatsapp.net")
            )
        )
        return session.scalars(
            select(OutboxRow.state).where(OutboxRow.conversation_id.in_(conversations))
        ).all()


def open_database(lab: Lab) -> Database:
    """The installation's own."""
    return Database(lab.environment.get("DATABASE_URL") or f"sqlite:///{lab.folder / 'var' / 'frontdesk.db'}")


NEEDS_NO_ANSWER: dict[str, Callable[[str], dict[str, Any]]] = {
    "reaction": lambda answer: {"kind": "reaction", "text": "+", "quoted": {"id": answer, "fromMe": True}},
    "sticker": lambda _answer: {"kind": "sticker"},
}


@pytest.mark.parametrize("kind", sorted(NEEDS_NO_ANSWER))
def test_what_needs_no_answer_gets_none(lab: Lab, whatsapp: WhatsAppSimulator, guest: str, kind: str) -> None:
    answer = ask(whatsapp, guest, "Hello")
    whatsapp.send(guest, to=HOST, **NEEDS_NO_ANSWER[kind](answer["id"]))
    ask(whatsapp, guest, "Thank you")
    assert len(texts(whatsapp, guest)) == 2


def test_a_caption_is_answered_like_a_text(lab: Lab, whatsapp: WhatsAppSimulator, guest: str) -> None:
    _, after = whatsapp.events()
    whatsapp.send(guest, to=HOST, kind="image", text="Is there parking for this car?")
    whatsapp.wait_for("guest.received", guest, after=after)
    assert len(texts(whatsapp, guest)) == 1


def test_what_the_host_types_by_hand_stands_in_the_thread_and_is_not_answered(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str
) -> None:
    ask(whatsapp, guest, "Hello")
    whatsapp.type_on_host_phone(HOST, to=guest, text="This is Avi from the desk.")
    ask(whatsapp, guest, "Thanks")
    # Its own phone's message reaches the guest by WhatsApp itself, ours are two.
    assert len(texts(whatsapp, guest)) - texts(whatsapp, guest).count("This is Avi from the desk.") == 2


def test_a_guest_who_was_erased_is_a_new_one_and_is_answered(
    lab: Lab, whatsapp: WhatsAppSimulator, guest: str
) -> None:
    ask(whatsapp, guest, "What time is check-in?")
    # The receipt is the last that happens.
    wait_until(lambda: "delivered" in states(lab, guest), 10, "the receipt")
    guest_id = guest_ids(lab, guest)[0]
    lab.sidecar.stop()
    with pytest.raises(LabError, match="link to WhatsApp does not answer"):
        lab.frontdesk("guest", "erase", str(guest_id), "--tenant", "1", "--yes")
    assert guest_ids(lab, guest) == [guest_id]
    lab.sidecar.start()
    lab.await_link("1", "open")
    lab.await_link("7", "open")
    lab.frontdesk("guest", "erase", str(guest_id), "--tenant", "1", "--yes")
    assert guest_ids(lab, guest) == []
    ask(whatsapp, guest, "Is there parking?")
    assert len(texts(whatsapp, guest)) == 2
    assert len(guest_ids(lab, guest)) == 1


def test_the_same_webhook_twice_makes_one_reply(lab: Lab, whatsapp: WhatsAppSimulator, guest: str) -> None:
    message = {
        "key": {"remoteJid": f"{guest}@s.whatsapp.net", "fromMe": False, "id": "3EB0SMOKE"},
        "messageTimestamp": int(time.time()),
        "message": {"conversation": "What time is check-in?"},
    }
    body = {"tenantId": "1", "payload": {"messages": [message]}}
    _, after = whatsapp.events()
    first, again = lab.post_webhook(body).json(), lab.post_webhook(body).json()
    assert (first["accepted"], first["duplicates"]) == (1, 0)
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    whatsapp.wait_for("guest.received", guest, after=after)
    ask(whatsapp, guest, "Thank you")
    assert len(texts(whatsapp, guest)) == 2


def test_the_chat_api_answers_on_the_call_itself(lab: Lab) -> None:
    key = lab.frontdesk("keys", "create", "--tenant", "1").split()[-1]
    body = {"tenant": "1", "conversation": "c1", "message": "What time is check-in?"}
    answer = requests.post(
        f"{lab.web_url}/api/v1/chat", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30
    )
    assert answer.status_code == 200
    reply = answer.json()
    assert "15:00" in reply["reply"]
    assert reply["source"] == "knowledge"
    assert reply["citations"][0]["document"]
    assert reply["handover"] is False
    assert reply["timings_ms"]["total"] > 0


def test_the_chat_api_needs_a_key_of_that_tenant(lab: Lab) -> None:
    body = {"tenant": "1", "conversation": "c1", "message": "hello"}
    url = f"{lab.web_url}/api/v1/chat"
    assert requests.post(url, json=body, timeout=30).status_code == 401
    key = lab.frontdesk("keys", "create", "--tenant", "7").split()[-1]
    headers = {"Authorization": f"Bearer {key}"}
    assert requests.post(url, json=body, headers=headers, timeout=30).status_code == 404


def test_ask_answers_with_its_source(lab: Lab) -> None:
    said = lab.frontdesk("ask", "--tenant", "7", "Where can I park?")
    assert "barn" in said
    assert "source: parking" in said


def test_logs_hold_no_words_and_no_numbers(lab: Lab, whatsapp: WhatsAppSimulator, guest: str) -> None:
    ask(whatsapp, guest, "Is the xylophone free on Tuesdays?")
    for log in (lab.web.log, lab.sidecar.log):
        said = log.read_text(encoding="utf-8")
        assert said
        assert "xylophone" not in said
        assert guest not in said
        assert lab.secret not in said


def test_two_megabytes_in_chunks_are_too_large(lab: Lab) -> None:
    answer = requests.post(
        f"{lab.web_url}/webhook/whatsapp/incoming",
        data=(b" " * 1000 for _ in range(2000)),
        headers={"X-Internal-Secret": lab.secret},
        timeout=30,
    )
    assert answer.status_code == 413

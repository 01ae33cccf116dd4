"""What staff do in a thread beside writing: notes, labels, replies, drafts; and why the desk said it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from server.console import ConsoleParts
from server.domain.knowledge import Document
from server.domain.messages import DeliveryState
from server.domain.staff import Role
from server.domain.tenants import TenantSettings
from server.store.knowledge import Knowledge
from server.store.leases import Leases
from server.store.models import (
    CannedReplyRow,
    ConversationRow,
    DraftRow,
    LabelRow,
    ModelCallRow,
    NoteRow,
    OutboxRow,
    TurnRow,
)
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.fakes.suggesting import FakeEngine
from tests.support.console import PASSWORD, log_in, token
from tests.support.console_parts import suggestions
from tests.support.threads import ThreadBuilder


@pytest.fixture
def thread(database: Database, clock: FakeClock, users: Users) -> ThreadBuilder:
    """A guest who waits for people."""
    thread = ThreadBuilder(database, clock.now() - timedelta(minutes=5), name="Maya")
    thread.guest_says("When is check-in?", unanswered_because="human")
    thread.set(mode="human")
    return thread


@pytest.fixture
def engine() -> FakeEngine:
    """What suggestions are made by."""
    return FakeEngine()


@pytest.fixture
def parts(parts: ConsoleParts, database: Database, clock: FakeClock, engine: FakeEngine) -> ConsoleParts:
    """With that engine."""
    object.__setattr__(parts, "suggestions", suggestions(database, clock, engine))
    return parts


def post(staff: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    """Send a form of the console; the status, and the page that is shown then."""
    answer = staff.post(
        f"/console/{path}",
        data={"csrf_token": token(staff.get("/console/")), **form},
        follow_redirects=True,
    )
    return answer.status_code, unescape(answer.text)


def page_of(staff: FlaskClient, thread: ThreadBuilder, query: str = "") -> str:
    return unescape(staff.get(f"/console/conversations/{thread.id}{query}").text)


def why_of(staff: FlaskClient, thread: ThreadBuilder) -> str:
    """What the thread's only answer leads to."""
    (address,) = re.findall(r'hx-get="(/console/conversations/\d+/answers/\d+/why)"', page_of(staff, thread))
    told = unescape(staff.get(address, headers={"HX-Request": "true"}).text)
    assert told in unescape(staff.get(address).text)
    return told


def viewer_s(app: Flask, users: Users) -> FlaskClient:
    users.add("1", "Vic", PASSWORD, Role.VIEWER)
    client = app.test_client()
    log_in(client, name="Vic")
    return client


def outgoing(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.scalars(select(OutboxRow).order_by(OutboxRow.id))
        return [(row.kind, row.text) for row in rows]


def draft_of(database: Database) -> DraftRow:
    with database.read() as session:
        return session.scalars(select(DraftRow).order_by(DraftRow.id.desc())).first() or pytest.fail(
            "no draft"
        )


def test_a_note_stands_in_the_thread_and_says_that_it_is_for_the_team(
    staff: FlaskClient, thread: ThreadBuilder, database: Database
) -> None:
    status, page = post(staff, f"conversations/{thread.id}/notes", text="Knows the owner.\r\n<b>Be nice</b>")
    assert status == HTTPStatus.OK
    note = page[page.index('<li class="note"') :]
    assert note.index("Note, only for the team") < note.index("Noa") < note.index("Knows the owner.\n<b>Be")
    assert outgoing(database) == []


@pytest.mark.parametrize("text", ["", " \r\n ", "x" * 4_001])
def test_a_note_that_is_none_is_not_kept(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, text: str
) -> None:
    status, page = post(staff, f"conversations/{thread.id}/notes", text=text)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "go back and write 1 to 4,000 characters" in page
    with database.read() as session:
        assert session.scalars(select(NoteRow)).all() == []


def test_labels_are_shown_offered_and_filtered_by(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, clock: FakeClock
) -> None:
    other = ThreadBuilder(database, clock.now(), name="Tom")
    _, page = post(staff, f"conversations/{thread.id}/labels", label="VIP ✨")
    assert '<li class="badge"><bdi>VIP ✨</bdi></li>' in page
    assert '<option value="VIP ✨"></option>' in page_of(staff, other)
    listed = unescape(staff.get("/console/", query_string={"label": "vip ✨"}).text)
    assert "Maya" in listed
    assert "Tom" not in listed
    _, page = post(staff, f"conversations/{thread.id}/labels/remove", label="VIP ✨")
    assert "VIP" not in page
    assert (
        "No conversation is as chosen above" in staff.get("/console/", query_string={"label": "VIP ✨"}).text
    )


def test_a_conversation_is_assigned_and_found_by_who_has_it(
    staff: FlaskClient, thread: ThreadBuilder, users: Users
) -> None:
    dan = users.add("1", "Dan", PASSWORD, Role.STAFF)
    _, page = post(staff, f"conversations/{thread.id}/assignee", user=str(dan.id))
    assert '<li class="badge">With <bdi>Dan</bdi></li>' in page
    for wanted, is_there in ((str(dan.id), True), ("me", False), ("none", False), ("x", True)):
        listed = staff.get("/console/", query_string={"assigned": wanted}).text
        assert ("Maya" in listed) is is_there, wanted
    mine = users.verify("Noa", PASSWORD)
    assert mine is not None
    post(staff, f"conversations/{thread.id}/assignee", user=str(mine.id))
    assert "Maya" in staff.get("/console/?assigned=me").text
    post(staff, f"conversations/{thread.id}/assignee", user="")
    assert "Maya" in staff.get("/console/?assigned=none").text


@pytest.mark.parametrize("user", ["x", "999", "9" * 30, "-1"])
def test_a_conversation_is_assigned_to_nobody_who_is_not_there(
    staff: FlaskClient, thread: ThreadBuilder, user: str
) -> None:
    status, page = post(staff, f"conversations/{thread.id}/assignee", user=user)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "choose somebody of the team" in page


def test_replies_are_added_changed_and_deleted(staff: FlaskClient) -> None:
    _, page = post(staff, "replies", title="Parking", text="In the yard, {guest}.")
    assert "In the yard, {guest}." in page
    with_id = page[page.index("/console/replies/") :].split('"')[0].removeprefix("/console/")
    assert "In the yard" in staff.get(f"/console/{with_id}").text
    _, page = post(staff, with_id, title="Car", text="In the street.")
    assert "Car" in page
    assert "In the yard" not in page
    _, page = post(staff, f"{with_id}/delete")
    assert "No replies yet" in page
    assert staff.get(f"/console/{with_id}").status_code == HTTPStatus.NOT_FOUND


def test_an_unknown_placeholder_is_refused_and_what_was_typed_stays(
    staff: FlaskClient, database: Database
) -> None:
    status, page = post(staff, "replies", title="Welcome", text="Dear {name}, hello.")
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "{name}; what can be filled in: {guest}, {me}, {business}, {phone}, {hours}" in page
    assert "Dear {name}, hello.</textarea>" in page
    with database.read() as session:
        assert session.scalars(select(CannedReplyRow)).all() == []


def test_a_reply_begins_the_answer_and_its_gaps_must_be_filled(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, tenants: Tenants
) -> None:
    tenants.update("1", TenantSettings(name="Harbour House", hours="8 to 20"))
    text = "{guest}, this is {me} of {business}. Open {hours}, call {phone}."
    post(staff, "replies", title="Welcome", text=text)
    with database.read() as session:
        reply_id = session.scalars(select(CannedReplyRow.id)).one()
    begun = "Maya, this is Noa of Harbour House. Open 8 to 20, call [phone]."
    assert f"{begun}</textarea>" in page_of(staff, thread, f"?reply={reply_id}")
    assert "</textarea>" in page_of(staff, thread, "?reply=x")
    status, page = post(staff, f"conversations/{thread.id}/messages", text=begun, id="1")
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "go back and fill in what is missing: [phone]" in page
    assert outgoing(database) == []
    post(staff, f"conversations/{thread.id}/messages", text=begun.replace("[phone]", "03-1234567"), id="1")
    assert len(outgoing(database)) == 1


def test_a_suggestion_is_shown_with_its_sources_and_sent_once(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, clock: FakeClock, engine: FakeEngine
) -> None:
    Knowledge(database, clock).put_documents("1", [Document("in", "Check-in", "We open at 15:00.", "en")])
    assert "Suggest a reply" in page_of(staff, thread)
    clock.advance(1)
    _, page = post(staff, f"conversations/{thread.id}/suggest")
    assert [message.text for message in engine.asked[0].messages] == ["When is check-in?"]
    draft = page[page.index("Draft of the desk") :]
    assert "Check-in is from 15:00." in draft
    assert "We open at 15:00." in draft
    assert "Suggest a reply" not in page
    assert outgoing(database) == []
    for _ in range(2):
        _, page = post(staff, f"conversations/{thread.id}/drafts/{draft_of(database).id}/send")
    assert "Draft of the desk" not in page
    assert outgoing(database) == [("staff", "Check-in is from 15:00.")]


def test_a_suggestion_is_changed_in_the_answer_box(
    staff: FlaskClient, thread: ThreadBuilder, database: Database
) -> None:
    post(staff, f"conversations/{thread.id}/suggest")
    draft_id = draft_of(database).id
    page = page_of(staff, thread, f"?draft={draft_id}")
    assert "Check-in is from 15:00.</textarea>" in page
    assert f'name="draft" value="{draft_id}"' in page
    _, page = post(staff, f"conversations/{thread.id}/messages", text="From 14:00.", draft=str(draft_id))
    assert outgoing(database) == [("staff", "From 14:00.")]
    assert draft_of(database).state == "changed"
    status, page = post(staff, f"conversations/{thread.id}/drafts/{draft_id}/send")
    assert status == HTTPStatus.CONFLICT
    assert "already answered" in page


def test_a_suggestion_is_dropped(staff: FlaskClient, thread: ThreadBuilder, database: Database) -> None:
    post(staff, f"conversations/{thread.id}/suggest")
    _, page = post(staff, f"conversations/{thread.id}/drafts/{draft_of(database).id}/drop")
    assert "Draft of the desk" not in page
    assert (draft_of(database).state, outgoing(database)) == ("dropped", [])


def test_a_guest_who_writes_while_a_suggestion_is_made_gets_staff_to_ask_again(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, engine: FakeEngine
) -> None:
    engine.meanwhile = lambda: thread.guest_says("And parking?")
    status, page = post(staff, f"conversations/{thread.id}/suggest")
    assert status == HTTPStatus.CONFLICT
    assert "written more" in page
    with database.read() as session:
        assert session.scalars(select(DraftRow)).all() == []


def test_there_is_nothing_to_suggest_after_staffs_own_word(
    staff: FlaskClient, thread: ThreadBuilder, clock: FakeClock
) -> None:
    post(staff, f"conversations/{thread.id}/messages", text="From 15:00.", id="1")
    status, page = post(staff, f"conversations/{thread.id}/suggest")
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "nothing to answer" in page


def test_staff_let_the_desk_draft_and_hand_back(
    staff: FlaskClient, thread: ThreadBuilder, database: Database
) -> None:
    thread.set(mode="ai")
    _, page = post(staff, f"conversations/{thread.id}/mode", mode="draft")
    assert "<bdi>Noa</bdi>\nhas the desk draft" in page
    assert "The desk writes drafts" in page
    assert "AI drafts, people send" in page
    _, page = post(staff, f"conversations/{thread.id}/messages", text="From 15:00.", id="1")
    with database.read() as session:
        assert session.scalars(select(ConversationRow.mode)).one() == "draft"
    _, page = post(staff, f"conversations/{thread.id}/mode", mode="ai")
    assert "The desk answers this guest." in page


FORMS = [
    ("conversations/{id}/notes", {"text": "x"}),
    ("conversations/{id}/labels", {"label": "x"}),
    ("conversations/{id}/labels/remove", {"label": "x"}),
    ("conversations/{id}/assignee", {"user": ""}),
    ("conversations/{id}/suggest", {}),
    ("conversations/{id}/drafts/1/send", {}),
    ("conversations/{id}/drafts/1/drop", {}),
]


@pytest.mark.parametrize(("path", "form"), FORMS)
def test_another_business_s_conversation_cannot_be_touched(
    staff: FlaskClient, database: Database, clock: FakeClock, path: str, form: dict[str, str]
) -> None:
    other = ThreadBuilder(database, clock.now(), tenant_id="2", name="Stranger")
    other.guest_says("private words")
    for conversation_id in (other.id, 2**63):
        status, _ = post(staff, path.format(id=conversation_id), **form)
        assert status == HTTPStatus.NOT_FOUND
    with database.read() as session:
        for table in (NoteRow, LabelRow, DraftRow):
            assert session.scalars(select(table)).all() == []


@pytest.mark.parametrize(("path", "form"), [*FORMS, ("replies", {"title": "x", "text": "x"})])
def test_a_viewer_may_not_write(
    app: Flask, users: Users, thread: ThreadBuilder, path: str, form: dict[str, str]
) -> None:
    status, _ = post(viewer_s(app, users), path.format(id=thread.id), **form)
    assert status == HTTPStatus.FORBIDDEN


def test_a_viewer_sees_the_thread_with_its_notes_and_no_form(
    app: Flask, users: Users, staff: FlaskClient, thread: ThreadBuilder
) -> None:
    post(staff, f"conversations/{thread.id}/notes", text="Knows the owner.")
    page = page_of(viewer_s(app, users), thread)
    assert "Knows the owner." in page
    for word in ("Write to the guest", "Take over", "Keep the note", "Suggest a reply", "Replies"):
        assert word not in page


@pytest.mark.parametrize(("path", "form"), FORMS)
def test_a_form_needs_the_consoles_own_token(
    staff: FlaskClient, thread: ThreadBuilder, path: str, form: dict[str, str]
) -> None:
    answer = staff.post(f"/console/{path.format(id=thread.id)}", data=form)
    assert answer.status_code == HTTPStatus.BAD_REQUEST


def test_why_the_desk_said_it_names_sources_models_and_where_the_time_went(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, clock: FakeClock
) -> None:
    Knowledge(database, clock).put_documents(
        "1", [Document("in", "Check-in", "We open at 15:00.", "en"), Document("new", "Pool", "Closed.", "en")]
    )
    asked = thread.guest_says("And now?")
    turn = {
        "source": "model",
        "model": "gpt-x",
        "prompt_version": 7,
        "citations": [
            {"document": "in", "title": "Check-in", "score": 0.9},
            {"document": "gone", "title": "Old rules", "score": 0.4},
        ],
        "analysis": {"intent": "check_in", "held_back": "unsupported_number"},
        "steps_ms": {"queued": 3.0, "first_token": 400.0, "committed": 900.0},
    }
    thread.reply("From 15:00.", covers=[asked], state=DeliveryState.READ, turn=turn)
    with database.write() as session:
        turn_id = session.scalars(select(TurnRow.id)).one()
        for outcome, cost in (("dropped", 0), ("answered", 1234)):
            session.add(
                ModelCallRow(
                    tenant_id="1",
                    turn_id=turn_id,
                    provider="openai",
                    model="gpt-x",
                    outcome=outcome,
                    started_at=clock.now(),
                    first_token_ms=350.0,
                    total_ms=800.0,
                    waited_ms=0.0,
                    prompt_tokens=321,
                    completion_tokens=12,
                    cost_micros=cost,
                )
            )
    page = why_of(staff, thread)
    for words in (
        "prompt version 7",
        "We open at 15:00.",
        "Changed since this answer",
        "Old rules",
        "This document is gone",
        "321 / 12",
        "Ended by us: not needed any more",
        "US$0.0012",
        "First word of the model",
        "Read by the guest",
        "The gate did not let the model's words out: <bdi>unsupported_number</bdi>",
    ):
        assert words in page, words
    assert "Closed." not in page
    assert 'style="' not in page


def test_a_document_that_has_not_changed_says_nothing_of_it(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, clock: FakeClock
) -> None:
    Knowledge(database, clock).put_documents("1", [Document("in", "Check-in", "We open at 15:00.", "en")])
    thread.at = clock.now() + timedelta(minutes=1)
    cited = {"citations": [{"document": "in", "title": "Check-in", "score": 0.9}]}
    thread.reply("From 15:00.", covers=[thread.guest_says("Now?")], turn=cited)
    page = why_of(staff, thread)
    assert "We open at 15:00." in page
    assert "Changed since" not in page


def test_what_was_meant_and_what_was_heard_on_a_call_stand_side_by_side(
    staff: FlaskClient, thread: ThreadBuilder
) -> None:
    turn = {"intended": "From 15:00 to 22:00.", "steps_ms": {"decided": 300.0, "first_audio": 700.0}}
    thread.reply("From 15:00", channel="voice", turn=turn)
    told = why_of(staff, thread)
    assert told.index("Meant to be said") < told.index("From 15:00 to 22:00.") < told.index("Heard")
    assert "First sound" in told


def test_a_draft_of_a_guest_who_wrote_more_is_not_shown(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, leases: Leases
) -> None:
    post(staff, f"conversations/{thread.id}/suggest")
    assert "Draft of the desk" in page_of(staff, thread)
    thread.guest_says("And parking?")
    page = page_of(staff, thread)
    assert "Draft of the desk" not in page
    assert "Suggest a reply" in page
    with database.write() as session:
        session.execute(update(ConversationRow).values(mode="ai"))
    assert "Suggest a reply" not in page_of(staff, thread)


def test_a_message_of_staffs_has_no_why_to_it(staff: FlaskClient, thread: ThreadBuilder) -> None:
    thread.guest_says("Hello?")
    post(staff, f"conversations/{thread.id}/messages", text="Noa here.", form_id="f")
    assert "Why this answer" not in page_of(staff, thread)
    assert staff.get(f"/console/conversations/{thread.id}/answers/1/why").status_code == HTTPStatus.NOT_FOUND


def test_an_answer_is_not_explained_under_another_conversation(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, clock: FakeClock
) -> None:
    other = ThreadBuilder(database, clock.now())
    answer = thread.reply("From 15:00.", covers=[thread.guest_says("Now?")])
    path = f"/console/conversations/{{}}/answers/{answer}/why"
    assert staff.get(path.format(thread.id)).status_code == HTTPStatus.OK
    assert staff.get(path.format(other.id)).status_code == HTTPStatus.NOT_FOUND

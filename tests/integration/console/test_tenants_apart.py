"""Nobody of one business sees or changes anything of another's, on any page or by any call of the API.

The other business has a row in every table that has rows of businesses, and all its words have a mark in
them. Each way in is tried with its ids. A new page is among them by itself.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from server.adapters.media_folder import MediaFolder
from server.app import create_app
from server.console import ConsoleParts, register_console
from server.console.auth import OPEN_TO_ALL
from server.desk import Desk
from server.domain.modes import OPERATOR
from server.knowledge.staged import Upload
from server.store.audit import add_audit
from server.store.keys import ApiKeys
from server.store.models import (
    ApiKeyRow,
    Base,
    CannedReplyRow,
    DocumentRow,
    LineReportRow,
    UserRow,
    WhatsAppEntryRow,
    WhatsAppNumberRow,
)
from server.store.session import Database
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.fakes.recordings import FakeShelf
from tests.support.console import PASSWORD, log_in, token
from tests.support.console_routes import Way, ways
from tests.support.full_guest import CALL_ID, MARKS, RECORDING, WORD, FullGuest

# The ids of the other business's rows, by the names that routes have for them.
Ids = Mapping[str, object]
# Not of one business, or checked by a secret of their own: what opens them is not a key or a session.
NOT_A_TENANT_S = ("/voice", "/webhook", "/livez", "/readyz", "/openapi.json")
# Names within a business: the other's are no address of anything, and a form may begin something with them.
OWN_NAMES = {"document_id"}


@pytest.fixture
def app(desk: Desk, parts: ConsoleParts) -> Flask:
    """The whole web application: the API, webhooks and the console."""
    app = create_app(desk, "the-internal-secret")
    app.secret_key = "a key of the test"
    register_console(app, parts)
    return app


@pytest.fixture
def theirs(
    database: Database,
    clock: FakeClock,
    parts: ConsoleParts,
    shelf: FakeShelf,
    users: Users,
    tmp_path: Path,
) -> Ids:
    """Business 2, as full as can be."""
    guest = FullGuest(database, clock, MediaFolder(tmp_path / "media", 0), tenant_id="2")
    shelf.begin("2", RECORDING).write(WORD.encode())
    lee = users.add("2", f"Lee {WORD}", PASSWORD)
    ApiKeys(database, clock).create("2", WORD)
    now = clock.now()
    with database.write() as session:
        reply = CannedReplyRow(tenant_id="2", title=WORD, text=WORD, updated_at=now)
        session.add_all(
            [
                reply,
                DocumentRow(
                    tenant_id="2", id=WORD, title=WORD, body=WORD, language="en", valid_from="",
                    valid_until="", hours="", source=WORD, content_hash="x", updated_at=now,
                ),
                LineReportRow(tenant_id="2", is_linked=True, reported_at=now),
                WhatsAppNumberRow(tenant_id="2", is_wanted=True, owner=WORD, token=1),
                WhatsAppEntryRow(tenant_id="2", table_name="journal", key="[1]", value=WORD),
            ]
        )  # fmt: skip
        add_audit(session, "2", OPERATOR, "counted", WORD, now, what=WORD)
        session.flush()
        reply_id = reply.id
        key_id = session.scalars(select(ApiKeyRow.id).where(ApiKeyRow.tenant_id == "2")).one()
    import_token = parts.staged.put("2", [Upload(f"{WORD}.md", io.BytesIO(f"# {WORD}\n{WORD}".encode()))])
    return {
        "answer_id": guest.answer_id,
        "call_id": CALL_ID,
        "conversation_id": guest.conversation_id,
        "document_id": WORD,
        "draft_id": guest.draft_id,
        "guest_id": guest.guest_id,
        "key_id": key_id,
        "message_id": guest.message_id,
        "number": 1,
        "question_id": guest.question_id,
        "reply_id": reply_id,
        "token": import_token,
        "user_id": lee.id,
    }


def kept_of(database: Database, tenant_id: str) -> dict[str, list[str]]:
    """Every row of a business's, by table."""
    found = {}
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            column = "id" if table.name == "tenants" else "tenant_id"
            if column in table.columns:
                rows = session.execute(select(table).where(table.c[column] == tenant_id))
                found[table.name] = sorted(map(repr, rows))
    return found


def told(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text]


def fields(way: Way, theirs: Ids, csrf_token: str) -> dict[str, str]:
    """What forms of the console hold, with ids of the other business wherever one can stand."""
    ids = {name.removesuffix("_id"): str(value) for name, value in theirs.items()}
    words = {"text": "x", "mode": "human", "label": "x", "role": "viewer", "title": "x", "body": "x"}
    return {
        **ids,
        **{name: str(value) for name, value in theirs.items()},
        **words,
        "csrf_token": csrf_token,
    }


def test_the_other_business_has_something_in_every_table(database: Database, theirs: Ids) -> None:
    assert theirs
    assert {table for table, rows in kept_of(database, "2").items() if not rows} == set()


def test_each_way_into_the_console_is_open_to_whoever_it_belongs_to(
    app: Flask, theirs: Ids, anonymous: FlaskClient
) -> None:
    # Or the ids of this test would prove nothing.
    assert log_in(anonymous, f"Lee {WORD}").status_code == HTTPStatus.SEE_OTHER
    for way in ways(app):
        if way.method == "GET" and way.rule.arguments and way.endpoint not in OPEN_TO_ALL:
            answer = anonymous.get(way.path(app, theirs))
            answer.close()
            assert answer.status_code in (HTTPStatus.OK, HTTPStatus.FOUND), way.name


def test_no_page_of_the_console_shows_or_changes_what_is_another_business_s(
    app: Flask, staff: FlaskClient, theirs: Ids, database: Database
) -> None:
    before = kept_of(database, "2")
    csrf_token = token(staff.get("/console/account"))
    for way in ways(app):
        if way.endpoint in OPEN_TO_ALL:
            continue
        form = fields(way, theirs, csrf_token) if way.method != "GET" else None
        answer = staff.open(way.path(app, theirs), method=way.method, data=form, query_string={"q": "a"})
        # What was typed is shown again where it does not do: that it is theirs nobody can tell from it.
        words = [mark for mark in told(answer.text) if form is None]
        assert words == [], way.name
        if way.rule.arguments - OWN_NAMES:
            assert answer.status_code == HTTPStatus.NOT_FOUND, f"{way.name}: {answer.status_code}"
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, way.name
    assert kept_of(database, "2") == before


def test_no_list_of_the_console_has_a_word_of_another_business_s(
    app: Flask, staff: FlaskClient, theirs: Ids
) -> None:
    pages = [way for way in ways(app) if way.method == "GET" and not way.rule.arguments]
    assert len(pages) > 10
    for way in pages:
        for query in ({}, {"q": WORD}, {"before": "9999999999999999.999999999"}):
            answer = staff.get(way.path(app, theirs), query_string=query)
            shown = answer.text.replace(WORD, "") if "q" in query else answer.text
            assert told(shown) == [], way.name
            assert f"/conversations/{theirs['conversation_id']}" not in answer.text, way.name


def test_no_call_of_the_api_tells_or_changes_what_is_another_business_s(
    app: Flask, theirs: Ids, database: Database, clock: FakeClock
) -> None:
    headers = {"Authorization": f"Bearer {ApiKeys(database, clock).create('1')}"}
    before = kept_of(database, "2")
    calls = [way for way in ways(app, under="/") if is_of_the_api(way)]
    assert {way.rule.rule for way in calls} >= {"/api/v1/conversations", "/api/v1/chat"}
    for way in calls:
        answer = app.test_client().open(
            way.path(app, theirs), method=way.method, headers=headers, json=api_body(way)
        )
        assert told(answer.get_data(as_text=True)) == [], way.name
        if way.rule.arguments:
            assert answer.status_code == HTTPStatus.NOT_FOUND, f"{way.name}: {answer.status_code}"
    assert kept_of(database, "2") == before


def is_of_the_api(way: Way) -> bool:
    rule = way.rule.rule
    # The benchmark measures for seconds, and has nothing of a business's.
    return not rule.startswith(("/console", "/static", *NOT_A_TENANT_S)) and rule != "/api/v1/benchmark"


def api_body(way: Way) -> dict[str, Any] | None:
    if way.method == "GET":
        return None
    return {"tenant": "2", "conversation": "x", "message": "Have you got it?", "mode": "human", "text": "x"}


def test_staff_of_two_businesses_see_their_own_lists(
    app: Flask, staff: FlaskClient, theirs: Ids, database: Database
) -> None:
    assert theirs
    with database.read() as session:
        names = {row.name: row.tenant_id for row in session.scalars(select(UserRow))}
    assert names == {"Noa": "1", f"Lee {WORD}": "2"}
    lee = app.test_client()
    log_in(lee, f"Lee {WORD}")
    assert "Noa" not in lee.get("/console/team").text
    assert WORD in lee.get("/console/keys").text
    assert WORD not in staff.get("/console/keys").text

"""Staff take over, write and hand back on a conversation's page."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.domain.conversations import lane_key
from server.domain.messages import DeliveryState, conversation_lane
from server.store.leases import Leases
from server.store.models import ConversationEventRow, ConversationRow, OutboxRow
from server.store.session import Database
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.console import log_in, token
from tests.support.threads import ThreadBuilder


@pytest.fixture
def thread(database: Database, clock: FakeClock, users: Users) -> ThreadBuilder:
    """A conversation in which a reply is about to leave."""
    thread = ThreadBuilder(database, clock.now(), name="Maya")
    thread.guest_says("When is check-in?")
    thread.reply("From 15:00.", state=DeliveryState.COMMITTED)
    return thread


def post(staff: FlaskClient, thread_id: int, what: str, **form: str) -> tuple[int, str]:
    """Send a form of the page; the status, and the page that is shown then."""
    csrf_token = token(staff.get("/console/"))
    answer = staff.post(
        f"/console/conversations/{thread_id}/{what}",
        data={"csrf_token": csrf_token, **form},
        follow_redirects=True,
    )
    return answer.status_code, answer.text


def outgoing(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as session:
        rows = session.scalars(select(OutboxRow).order_by(OutboxRow.id))
        return [(row.kind, row.text, row.state) for row in rows]


def test_staff_take_over_and_hand_back(staff: FlaskClient, thread: ThreadBuilder, database: Database) -> None:
    page = staff.get(f"/console/conversations/{thread.id}").text
    assert "Take over" in page
    assert "Hand back" not in page
    status, page = post(staff, thread.id, "mode", mode="human")
    assert status == HTTPStatus.OK
    assert "<bdi>Noa</bdi>\ntook over" in page
    assert "People answer" in page
    assert "Hand back to the desk" in page
    assert outgoing(database) == [("reply", "From 15:00.", "cancelled")]
    _, page = post(staff, thread.id, "mode", mode="ai")
    assert "handed back to the desk" in page
    assert "Take over" in page
    with database.read() as session:
        actors = session.scalars(select(ConversationEventRow.actor)).all()
    assert actors == ["console: Noa", "console: Noa"]


def test_what_staff_write_leaves_once_and_takes_over(
    staff: FlaskClient, thread: ThreadBuilder, database: Database
) -> None:
    for _ in range(2):
        _, page = post(staff, thread.id, "messages", text="Noa here:\r\nfrom 13:00.", id="form-1")
    assert "Noa here:\nfrom 13:00." in page
    assert "Staff" in page
    assert outgoing(database) == [
        ("reply", "From 15:00.", "cancelled"),
        ("staff", "Noa here:\nfrom 13:00.", "committed"),
    ]


@pytest.mark.parametrize(
    ("what", "form"),
    [
        ("messages", {"text": " "}),
        ("messages", {"text": "x" * 8_001}),
        ("mode", {"mode": "x"}),
        ("mode", {}),
    ],
)
def test_a_form_that_says_nothing_changes_nothing(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, what: str, form: dict[str, str]
) -> None:
    status, page = post(staff, thread.id, what, **form)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "go back and" in page
    assert outgoing(database) == [("reply", "From 15:00.", "committed")]


def test_a_send_that_does_not_end_is_told_to_who_takes_over(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, leases: Leases
) -> None:
    # Somebody is at it: the lane is taken, the message under way.
    assert leases.claim(lane_key(conversation_lane(thread.id)))
    with database.write() as session:
        session.scalars(select(OutboxRow)).one().state = "sending"
    status, page = post(staff, thread.id, "mode", mode="human")
    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "the conversation is yours" in page
    with database.read() as session:
        assert session.scalars(select(ConversationRow.mode)).one() == "human"


@pytest.mark.parametrize("what", ["mode", "messages"])
def test_a_form_needs_the_consoles_own_token(
    staff: FlaskClient, thread: ThreadBuilder, database: Database, what: str
) -> None:
    form = {"mode": "human", "text": "Hi"}
    answer = staff.post(f"/console/conversations/{thread.id}/{what}", data=form)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert outgoing(database) == [("reply", "From 15:00.", "committed")]


@pytest.mark.parametrize("what", ["mode", "messages"])
def test_another_business_s_conversation_cannot_be_taken(
    staff: FlaskClient, database: Database, clock: FakeClock, what: str
) -> None:
    other = ThreadBuilder(database, clock.now(), tenant_id="2", name="Stranger")
    other.guest_says("private words")
    for conversation_id in (other.id, 2**63):
        status, _ = post(staff, conversation_id, what, mode="human", text="Hi")
        assert status == HTTPStatus.NOT_FOUND
    assert outgoing(database) == []


def test_an_automatic_message_of_the_phone_is_shown_as_such(
    staff: FlaskClient, thread: ThreadBuilder
) -> None:
    thread.guest_says("We are closed.", from_me=True, details={"automatic": True})
    assert "Business phone, by itself" in staff.get(f"/console/conversations/{thread.id}").text


def test_staff_who_logged_in_elsewhere_see_who_took_over(
    staff: FlaskClient, thread: ThreadBuilder, users: Users
) -> None:
    post(staff, thread.id, "mode", mode="human")
    users.add("1", "Dan", "a password of the test")
    other = staff.application.test_client()
    log_in(other, name="Dan")
    assert "<bdi>Noa</bdi>\ntook over" in other.get(f"/console/conversations/{thread.id}").text

"""The numbers of a business, told and linked through a sidecar over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from server.adapters import whatsapp_sidecar
from server.adapters.whatsapp_sidecar import WhatsAppSidecar
from server.console import ConsoleParts
from server.domain.ban_risk import SendingFacts
from server.domain.messages import Channel, DeliveryState, OutboundKind
from server.domain.numbers import PhoneSetup
from server.domain.staff import Role
from server.store.models import AuditRow, CallRow, OutboxRow
from server.store.sending import CallFacts, SendingQueries
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD, log_in, token
from tests.support.sidecar import SmallSidecar, small_sidecar
from tests.support.threads import ThreadBuilder

SECRET = "the sidecar's and ours"
PAGE, LINK, QR = "/console/numbers", "/console/numbers/link", "/console/numbers/qr.svg"
LOG_OUT = "/console/numbers/log-out"
LINKED = {
    "tenantId": "1",
    "linked": True,
    "since": None,
    "lastInboundAt": None,
    "lastAckAt": None,
    "probeOk": True,
}

on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def sidecar() -> Iterator[SmallSidecar]:
    with small_sidecar(SECRET) as running:
        yield running


@pytest.fixture
def parts(parts: ConsoleParts, sidecar: SmallSidecar) -> Iterator[ConsoleParts]:
    adapter = WhatsAppSidecar(sidecar.url, SECRET)
    yield replace(parts, numbers=adapter)
    adapter.close()


@pytest.fixture
def viewer(app: Flask, users: Users) -> FlaskClient:
    """The browser of somebody who may only look."""
    users.add("1", "Vera", PASSWORD, Role.VIEWER)
    client = app.test_client()
    assert log_in(client, "Vera").status_code == HTTPStatus.SEE_OTHER
    return client


def words(client: FlaskClient, page: str = PAGE) -> str:
    return " ".join(unescape(client.get(page).text).split())


def post(client: FlaskClient, url: str, **form: str) -> Any:
    return client.post(url, data={"csrf_token": token(client.get(PAGE)), **form})


@pytest.mark.parametrize(
    ("look", "health", "said"),
    [
        ({}, {"linked": False, "probeOk": None}, "No number is linked."),
        ({"state": "disconnected"}, {}, "Not connected."),
        ({"state": "connecting"}, {}, "Connecting to WhatsApp."),
        ({"state": "qr", "qr": "2@x"}, {"linked": False}, "Waiting for the code to be scanned"),
        ({"state": "pairing"}, {"linked": False}, "Waiting for the pairing code to be entered"),
        ({"state": "open"}, {}, "Connected: WhatsApp answers, so guests are heard and answered."),
        ({"state": "open"}, {"probeOk": False}, "WhatsApp has not answered the last question"),
        ({"state": "deaf"}, {}, "Deaf: WhatsApp does not answer on the line, so guests are not heard."),
        ({"state": "logged_out"}, {"linked": False}, "Link the number again."),
        (
            {"state": "blocked", "reason": "WhatsApp refuses this number (403)"},
            {},
            "refuses this number (403)",
        ),
    ],
)
def test_each_state_is_told_in_plain_words(
    viewer: FlaskClient, sidecar: SmallSidecar, look: dict[str, Any], health: dict[str, Any], said: str
) -> None:
    sidecar.looks["1"], sidecar.health = look, [LINKED | health]
    assert said in words(viewer)


def test_it_tells_since_when_a_number_is_away_and_what_came_last(
    staff: FlaskClient, sidecar: SmallSidecar, clock: FakeClock
) -> None:
    now_ms = clock.now().timestamp() * 1000
    sidecar.looks["1"] = {"state": "deaf", "me": {"pn": "972501234567@s.whatsapp.net"}}
    sidecar.health = [
        LINKED | {"since": now_ms - 60_000, "lastInboundAt": now_ms - 3_600_000, "lastAckAt": None}
    ]
    page = staff.get(PAGE).text
    assert "+972501234567" in page
    for ago in (timedelta(minutes=1), timedelta(hours=1)):
        assert f'datetime="{(clock.now() - ago).isoformat()}"' in page
    assert "Away since" in page


def test_a_number_of_another_business_is_not_this_one_s(staff: FlaskClient, sidecar: SmallSidecar) -> None:
    sidecar.looks["2"] = {"state": "open", "me": {"pn": "972509999999@s.whatsapp.net"}}
    sidecar.health = [LINKED | {"tenantId": "2"}]
    assert "No number is linked." in words(staff)
    assert "972509999999" not in words(staff)


def test_a_sidecar_that_is_not_there_or_hangs_is_told_honestly(
    staff: FlaskClient, sidecar: SmallSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("HEALTH_TIMEOUT_S", "LINK_TIMEOUT_S"):
        monkeypatch.setattr(whatsapp_sidecar, limit, 0.2)
    sidecar.is_hanging = True
    for page in (PAGE, LINK):
        assert "does not answer" in words(staff, page)
        assert staff.get(page).status_code == HTTPStatus.OK
    for url in (LINK, LOG_OUT):
        answer = post(staff, url)
        assert answer.status_code == HTTPStatus.BAD_GATEWAY
        assert "does not answer" in answer.text
    assert staff.get(QR).status_code == HTTPStatus.NOT_FOUND


def test_a_number_is_linked_by_a_code_that_the_page_keeps_fresh(
    staff: FlaskClient, sidecar: SmallSidecar, database: Database
) -> None:
    assert post(staff, LINK).location == LINK
    assert ("POST", "/tenants/1/connect", {}) in sidecar.asked
    page = staff.get(LINK).text
    assert '<noscript><meta http-equiv="refresh" content="4"></noscript>' in page
    first = re.search(rf'src="({QR}\?v=\w+)"', page)
    assert first
    drawn = staff.get(first[1])
    assert (drawn.mimetype, drawn.headers["Cache-Control"]) == ("image/svg+xml", "no-store")
    assert drawn.text.startswith("<?xml")
    assert "style" not in drawn.text
    sidecar.looks["1"] = {"state": "qr", "qr": "2@y"}
    assert first[1] not in staff.get(LINK).text
    assert staff.get(QR).text != drawn.text
    sidecar.looks["1"] = {"state": "open", "me": {"pn": "972501234567@s.whatsapp.net"}}
    linked = staff.get(LINK).text
    assert "Linked." in linked
    assert "http-equiv" not in linked
    assert staff.get(QR).status_code == HTTPStatus.NOT_FOUND
    with database.read() as session:
        noted = session.scalars(select(AuditRow).where(AuditRow.action == "number.linking")).one()
        assert noted.actor == "console: Noa"


def test_a_number_is_linked_by_a_pairing_code(staff: FlaskClient, sidecar: SmallSidecar) -> None:
    assert post(staff, LINK, phone="+972 (50) 123-4567").location == LINK
    assert ("POST", "/tenants/1/connect", {"phone": "+972501234567"}) in sidecar.asked
    assert "ABCD-1234" in staff.get(LINK).text


@pytest.mark.parametrize("phone", ["050-1234567", "call me", "+1"])
def test_what_is_no_number_is_told_at_its_field_and_asked_of_nobody(
    staff: FlaskClient, sidecar: SmallSidecar, phone: str
) -> None:
    answer = post(staff, LINK, phone=phone)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "one is +972501234567" in answer.text
    (control,) = re.findall(r'<input id="phone"[^>]*>', answer.text)
    assert 'aria-describedby="phone-help phone-fault" aria-invalid="true"' in control
    assert f'value="{phone}"' in control
    assert [method for method, _, _ in sidecar.asked if method == "POST"] == []


def test_a_sidecar_that_refuses_is_told(staff: FlaskClient, sidecar: SmallSidecar) -> None:
    sidecar.refusal = 409
    answer = post(staff, LINK)
    assert answer.status_code == HTTPStatus.BAD_GATEWAY
    assert "refuses this" in answer.text


def test_a_number_is_logged_out_once_that_was_confirmed(
    staff: FlaskClient, sidecar: SmallSidecar, database: Database
) -> None:
    sidecar.looks["1"], sidecar.health = {"state": "open"}, [LINKED]
    assert f'href="{LOG_OUT}"' in staff.get(PAGE).text
    assert "neither heard nor answered" in words(staff, LOG_OUT)
    assert "1" in sidecar.looks
    assert post(staff, LOG_OUT).location == PAGE
    assert ("DELETE", "/tenants/1", {}) in sidecar.asked
    assert "1" not in sidecar.looks
    with database.read() as session:
        assert session.scalars(select(AuditRow.id).where(AuditRow.action == "number.logged_out")).one()


def test_who_may_only_look_neither_links_nor_logs_out(viewer: FlaskClient, sidecar: SmallSidecar) -> None:
    sidecar.looks["1"] = {"state": "qr", "qr": "2@x"}
    page = viewer.get(PAGE).text
    assert LINK not in page
    assert LOG_OUT not in page
    for url in (LINK, QR, LOG_OUT):
        assert viewer.get(url).status_code == HTTPStatus.FORBIDDEN
    for url in (LINK, LOG_OUT):
        assert post(viewer, url).status_code == HTTPStatus.FORBIDDEN
    assert [method for method, _, _ in sidecar.asked if method != "GET"] == []


# -- what was sent, and calls ------------------------------------------------------------------------


@pytest.mark.usefixtures("tenants")
@on_both_databases
def test_what_a_number_has_sent_is_counted_from_the_last_day_of_its_own_business(
    database: Database, clock: FakeClock
) -> None:
    now = clock.now()
    friend = ThreadBuilder(database, now - timedelta(hours=5), phone="972501@s.whatsapp.net")
    friend.guest_says("hello")
    for state in (DeliveryState.READ, DeliveryState.DELIVERED, DeliveryState.SENT):
        friend.reply("an answer", state=state)
    friend.reply("refused", state=DeliveryState.FAILED, reason="HTTP 502 code 463")
    friend.reply("refused", state=DeliveryState.FAILED, reason="HTTP 502 code 479")
    friend.reply("given up", state=DeliveryState.FAILED, reason="no answer in 15 s")
    stranger = ThreadBuilder(database, now - timedelta(minutes=5))
    stranger.reply("you do not know us", state=DeliveryState.SENT)
    old = ThreadBuilder(database, now - timedelta(days=3))
    old.reply("long ago", state=DeliveryState.SENT)
    theirs = ThreadBuilder(database, now - timedelta(hours=1), tenant_id="2")
    theirs.reply("another business's", state=DeliveryState.SENT)
    for number, to in enumerate(("972501@s.whatsapp.net", "972777@s.whatsapp.net")):
        a_notice(database, now - timedelta(hours=2), number, to)
    assert SendingQueries(database).whatsapp("1", now) == SendingFacts(
        sent=6, last_hour=1, strangers=2, delivered=4, undelivered=1, time_locks=1, refused=1
    )


def a_notice(database: Database, at: Any, number: int, to: str) -> None:
    """A WhatsApp line to one of the staff."""
    with database.write() as session:
        session.add(
            OutboxRow(
                tenant_id="1",
                lane=f"staff:{number}",
                channel=Channel.WHATSAPP,
                kind=OutboundKind.NOTICE,
                to_address=to,
                text="A guest needs a person",
                message_id=f"NOTICE{number}",
                state=DeliveryState.DELIVERED,
                due_at=at,
                committed_at=at,
                sent_at=at,
            )
        )


def test_the_risk_of_a_ban_is_one_word_with_its_reasons(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    assert 'Risk of a ban</dt> <dd class="risk-low">Low<' in words(staff)
    thread = ThreadBuilder(database, clock.now() - timedelta(hours=1))
    thread.guest_says("hello")
    thread.reply("refused", state=DeliveryState.FAILED, reason="HTTP 502 code 463")
    page = words(staff)
    assert "Raised: look at what is being sent" in page
    assert "too many first contacts (code 463): 1" in page


def a_call(
    database: Database, thread: ThreadBuilder, call_id: str, at: Any, because: str, tenant: str = "1"
) -> None:
    with database.write() as session:
        session.add(
            CallRow(
                id=call_id,
                tenant_id=tenant,
                conversation_id=thread.id,
                caller="+972501234567",
                called="+97231234567",
                next_step="ask",
                started_at=at,
                ended_because=because,
            )
        )


@on_both_databases
def test_calls_of_the_day_are_counted_and_those_that_ended_badly(
    database: Database, clock: FakeClock, tenants: Tenants
) -> None:
    now, since = clock.now(), clock.now() - timedelta(hours=10)
    assert SendingQueries(database).calls("1", since) == CallFacts(0, 0, None)
    thread, other = ThreadBuilder(database, now), ThreadBuilder(database, now, tenant_id="2")
    for name, ago, because in (("a", 11, "failed"), ("b", 3, "completed"), ("c", 2, "failed"), ("d", 1, "")):
        a_call(database, thread, name, now - timedelta(hours=ago), because)
    a_call(database, other, "e", now, "failed", "2")
    assert SendingQueries(database).calls("1", since) == CallFacts(3, 1, now - timedelta(hours=1))


def test_what_calls_lack_is_told_with_who_mends_it(
    staff: FlaskClient, parts: ConsoleParts, tenants: Tenants
) -> None:
    page = words(staff)
    for lack in (
        "no phone number yet",
        "TWILIO_AUTH_TOKEN is not set",
        "PUBLIC_BASE_URL is not set",
        "no key for speech",
    ):
        assert lack in page
    assert "Calls are taken." not in page


class TestPhone:
    """With all that calls take."""

    @pytest.fixture
    def parts(self, parts: ConsoleParts) -> ConsoleParts:
        setup = PhoneSetup(has_token=True, base_url="https://desk.example", has_speech=True)
        return replace(parts, phone=setup)

    def test_a_line_that_is_complete_tells_what_twilio_must_know(
        self, staff: FlaskClient, tenants: Tenants
    ) -> None:
        tenants.update("1", replace(tenants.get("1").settings, phone_numbers=("+97231234567",)))
        page = words(staff)
        assert "Calls are taken." in page
        assert "+97231234567" in page
        assert "POST https://desk.example/voice/incoming" in page
        assert "is not set" not in page

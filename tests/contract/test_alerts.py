"""Alerts of a line: one an incident, one all-clear, whoever notices and however often."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.domain.lines import LineState, Unreadable
from server.domain.messages import Channel, OutboundKind
from server.domain.tenants import TenantSettings
from server.errors import NotFound
from server.store.alerts import Alerts
from server.store.models import OutboxRow
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock

EMAIL = "owner@hotel.example"
SETTINGS = TenantSettings(
    name="Harbour House",
    staff_numbers=("+972501234567",),
    staff_emails=(EMAIL,),
    staff_webhook="https://h.example/x",
)


@pytest.fixture
def alerts(database: Database, clock: FakeClock, tenants: Tenants) -> Alerts:
    tenants.update("1", SETTINGS)
    return Alerts(database, clock, "http://desk")


@pytest.fixture
def down(clock: FakeClock) -> LineState:
    return LineState("deaf", True, clock.now() - timedelta(minutes=3), "", clock.now())


@pytest.fixture
def up(clock: FakeClock) -> LineState:
    return LineState("open", True, None, "", clock.now() + timedelta(minutes=5))


def rows(database: Database, kind: OutboundKind) -> list[OutboxRow]:
    with database.read() as session:
        return list(session.scalars(select(OutboxRow).where(OutboxRow.kind == kind).order_by(OutboxRow.id)))


def test_an_alert_goes_by_mail_and_webhook_never_by_the_line_that_is_down(
    alerts: Alerts, database: Database, down: LineState
) -> None:
    lanes = alerts.begin_incident("1", down)
    mail, webhook = rows(database, OutboundKind.ALERT)
    assert lanes == [mail.lane, webhook.lane]
    assert (mail.channel, mail.to_address) == (Channel.STAFF_EMAIL, EMAIL)
    for words in ("Harbour House", "WhatsApp does not answer", "frontdesk link 1", "http://desk/console"):
        assert words in mail.text
    event = json.loads(webhook.text)
    assert (event["event"], event["tenant"], event["state"]) == ("number_down", "1", "deaf")
    assert down.down_since is not None
    assert event["since"] == down.down_since.isoformat()


def test_an_incident_is_told_once_and_its_end_once(
    alerts: Alerts, database: Database, down: LineState, up: LineState
) -> None:
    assert alerts.end_incident("1", up) == []
    assert len(alerts.begin_incident("1", down)) == 2
    later = replace(down, state="logged_out", at=down.at + timedelta(hours=1))
    assert alerts.begin_incident("1", later) == []
    assert len(alerts.end_incident("1", up)) == 2
    assert alerts.end_incident("1", up) == []
    mail, _webhook = rows(database, OutboundKind.ALL_CLEAR)
    assert mail.text.splitlines()[0] == "WhatsApp of Harbour House works again"


def test_the_next_incident_is_told_again(
    alerts: Alerts, database: Database, down: LineState, up: LineState
) -> None:
    for _ in range(3):
        assert len(alerts.begin_incident("1", down)) == 2
        assert len(alerts.end_incident("1", up)) == 2
    assert len(rows(database, OutboundKind.ALERT)) == 6


def test_many_who_notice_at_once_tell_once(alerts: Alerts, database: Database, down: LineState) -> None:
    with ThreadPoolExecutor(6) as threads:
        lanes = list(threads.map(lambda _: alerts.begin_incident("1", down), range(6)))
    assert sorted(map(len, lanes)) == [0, 0, 0, 0, 0, 2]
    assert len(rows(database, OutboundKind.ALERT)) == 2


def test_businesses_do_not_share_incidents(alerts: Alerts, down: LineState, tenants: Tenants) -> None:
    tenants.update("2", replace(SETTINGS, name="Hill Inn"))
    assert len(alerts.begin_incident("1", down)) == 2
    assert len(alerts.begin_incident("2", down)) == 2


def test_a_business_without_addresses_has_nobody_to_tell(alerts: Alerts, down: LineState) -> None:
    assert alerts.begin_incident("2", down) == []
    with pytest.raises(NotFound):
        alerts.begin_incident("99", down)


def test_a_message_that_nobody_could_read_is_told_once_to_everybody(
    alerts: Alerts, database: Database, clock: FakeClock
) -> None:
    message = Unreadable("3EB0", "972501112223@s.whatsapp.net", clock.now())
    assert len(alerts.report_unreadable("1", message)) == 3
    assert alerts.report_unreadable("1", message) == []
    assert len(alerts.report_unreadable("1", replace(message, message_id="OTHER"))) == 3
    texts = [row.text for row in rows(database, OutboundKind.NOTICE) if row.channel != Channel.STAFF_WEBHOOK]
    assert "+972501112223 wrote to Harbour House" in texts[0]

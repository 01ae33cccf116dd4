"""What was last told of a line, and its alerts: one an incident, one all-clear, whoever notices it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.domain.lines import LastReport, LineState, Unreadable
from server.domain.messages import Channel, OutboundKind
from server.domain.tenants import TenantSettings
from server.errors import NotFound
from server.store.alerts import Alerts
from server.store.models import OutboxRow, WhatsAppNumberRow
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


def test_the_last_report_of_a_linked_number_is_kept_and_shared(
    alerts: Alerts, database: Database, clock: FakeClock, down: LineState, up: LineState
) -> None:
    assert alerts.last_reports() == []
    alerts.record("1", down)
    assert alerts.last_reports() == [LastReport("1", down.down_since, down.at)]
    elsewhere = Alerts(database, clock, "http://desk")
    elsewhere.record("1", up)
    elsewhere.record("2", down)
    assert sorted(alerts.last_reports(), key=lambda report: report.tenant_id) == [
        LastReport("1", None, up.at),
        LastReport("2", down.down_since, down.at),
    ]


def test_a_number_that_is_not_linked_has_nothing_to_tell(alerts: Alerts, down: LineState) -> None:
    alerts.record("1", replace(down, state="qr", is_linked=False))
    alerts.record("2", down)
    alerts.record("2", replace(down, state="logged_out", is_linked=False))
    assert alerts.last_reports() == []


def test_a_number_that_no_sidecar_is_to_hold_is_not_missed(
    alerts: Alerts, database: Database, down: LineState
) -> None:
    with database.write() as session:
        session.add(WhatsAppNumberRow(tenant_id="1", is_wanted=False, token=1))
        session.add(WhatsAppNumberRow(tenant_id="2", is_wanted=True, token=1))
    for tenant_id in ("1", "2"):
        alerts.record(tenant_id, down)
    assert [report.tenant_id for report in alerts.last_reports()] == ["2"]


def test_many_processes_hear_of_one_line_at_once(alerts: Alerts, down: LineState) -> None:
    lines = [replace(down, at=down.at + timedelta(seconds=second)) for second in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda line: alerts.record("1", line), lines))
    (report,) = alerts.last_reports()
    assert report.at in {line.at for line in lines}


def test_nobody_tells_of_a_business_that_does_not_exist(alerts: Alerts, down: LineState) -> None:
    with pytest.raises(NotFound):
        alerts.record("99", down)


def test_who_is_told_that_the_sidecar_is_gone_is_not_sent_to_the_phone(
    alerts: Alerts, database: Database, clock: FakeClock, up: LineState
) -> None:
    alerts.begin_incident("1", LastReport("1", None, clock.now()).gone_silent(up.at))
    mail, webhook = rows(database, OutboundKind.ALERT)
    assert "nothing is heard of the sidecar" in mail.text
    assert "frontdesk doctor" in mail.text
    assert "frontdesk link" not in mail.text
    event = json.loads(webhook.text)
    assert (event["state"], event["since"]) == ("silent", clock.now().isoformat())

"""A team that reads Hebrew is told everything in it, on SQLite and on PostgreSQL; machines as ever."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.domain.conversations import Reply, ReplySource, conversation_key, lane_key
from server.domain.lines import LineState, Unreadable
from server.domain.messages import Channel, GuestAddress, MessageKind, conversation_lane
from server.domain.modes import OPERATOR
from server.domain.reminders import Reminder, Waiting
from server.domain.spending import Crossing, Level
from server.domain.tenants import TenantSettings
from server.store.alerts import Alerts
from server.store.budget_notices import BudgetNoticeRows
from server.store.guest_data import GuestData
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import OutboxRow
from server.store.morning_reports import MorningReports
from server.store.notices import quoted
from server.store.reminders import Reminders
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.turns import Turns
from server.translations import plain_text
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message
from tests.support.threads import ThreadBuilder

URL = "http://desk.example"
SETTINGS = TenantSettings(
    name="Harbour House",
    languages=("he", "en"),
    staff_numbers=("+972501234567",),
    staff_emails=("owner@hotel.example",),
    staff_webhook="https://h.example/x",
)
ANSWER = Reply(
    text="I have asked the team.",
    source=ReplySource.KNOWLEDGE,
    language="en",
    handover=True,
    reason="not_known",
)


@pytest.fixture(autouse=True)
def team(tenants: Tenants) -> None:
    """Reads Hebrew, since that is the first of the business's languages."""
    tenants.update("1", SETTINGS)


@pytest.fixture
def alerts(database: Database, clock: FakeClock) -> Alerts:
    return Alerts(database, clock, URL)


def told(database: Database) -> Sequence[OutboxRow]:
    """What staff are told, in its order."""
    staff = OutboxRow.conversation_id.is_(None)
    with database.read() as session:
        return list(session.scalars(select(OutboxRow).where(staff).order_by(OutboxRow.id)))


def shown(text: str) -> list[str]:
    """The lines of *text* as they are read, each of which must begin from right to left."""
    lines = text.split("\n")
    assert all(line.startswith("\u200f") for line in lines if line)
    return [line.strip("\u200f").replace("\u2068", "").replace("\u2069", "") for line in lines]


def hand_over(
    database: Database, clock: FakeClock, leases: Leases, name: str, words: str, **changes: Any
) -> int:
    """A guest writes what the desk hands over; returns the conversation."""
    inbox = Inbox(database, clock)
    turns = Turns(database, leases, inbox, Replies(database, clock, URL))
    address = GuestAddress("guest@lid", lid="guest@lid", name=name)
    kind = MessageKind.TEXT if words else MessageKind.IMAGE
    taken = turns.begin(a_message(words, address=address, kind=kind, sent_at=clock.now()), 4).taken
    assert taken is not None
    reply = replace(ANSWER, **changes)
    turns.commit(taken.lease, taken.turn, reply, clock.now(), None, unless_newer=False)
    return taken.turn.conversation_id


@pytest.mark.parametrize("name", ["Maya", "מאיה"])
def test_a_handover(database: Database, clock: FakeClock, leases: Leases, name: str) -> None:
    conversation_id = hand_over(database, clock, leases, name, "Is there a helipad? (big)\nיש חניה?")
    link = f"{URL}/console/conversations/{conversation_id}"
    number, mail, webhook = told(database)
    assert (number.channel, mail.channel) == (Channel.WHATSAPP, Channel.STAFF_EMAIL)
    assert number.text == mail.text
    assert mail.text == (
        f"\u200fנדרש מענה אנושי: \u2068{name}\u2069\n"
        "\u200f\u2068Is there a helipad? (big)\u2069\n"
        "\u200f\u2068יש חניה?\u2069\n"
        f"\u200f{link}"
    )
    event = json.loads(webhook.text)
    assert (event["event"], event["url"], event["reason"]) == ("needs_human", link, "not_known")


def test_danger_and_a_picture_without_words(database: Database, clock: FakeClock, leases: Leases) -> None:
    hand_over(database, clock, leases, "Maya", "", urgent=True, reason="emergency_fire")
    assert shown(told(database)[0].text)[:2] == ["חשש לסכנה, יש לפעול מיד: Maya", "(תמונה)"]


@pytest.mark.parametrize("kind", MessageKind)
def test_a_message_without_words_is_told_by_its_kind(kind: MessageKind) -> None:
    assert str(kind) not in plain_text([quoted("", kind)], "he")


def test_a_chosen_language_comes_before_those_of_guests(
    database: Database, clock: FakeClock, leases: Leases, tenants: Tenants
) -> None:
    tenants.update("1", replace(SETTINGS, team_language="en"))
    conversation_id = hand_over(database, clock, leases, "מאיה", "יש חניה?")
    link = f"{URL}/console/conversations/{conversation_id}"
    assert told(database)[0].text == f"מאיה needs a person:\nיש חניה?\n{link}"


@pytest.mark.parametrize(
    ("minutes", "is_urgent", "headline"),
    [
        (1, False, "כבר דקה בהמתנה למענה אנושי: Maya"),
        (119, False, "כבר 119 דקות בהמתנה למענה אנושי: Maya"),
        (120, False, "כבר 2 שעות בהמתנה למענה אנושי: Maya"),
        (3_000, False, "כבר 2 ימים בהמתנה למענה אנושי: Maya"),
        (6, True, "חשש לסכנה, וכבר 6 דקות בהמתנה למענה אנושי. יש לפעול מיד: Maya"),
    ],
)
def test_a_reminder(
    database: Database, clock: FakeClock, tenants: Tenants, minutes: int, is_urgent: bool, headline: str
) -> None:
    thread = ThreadBuilder(database, clock.now(), name="Maya")
    thread.guest_says("Is there a helipad?")
    thread.needs_a_person()
    waiting = Waiting(thread.id, tenants.get("1"), thread.at, is_urgent, is_seen_to=False)
    clock.advance((thread.at + timedelta(minutes=minutes) - clock.now()).total_seconds())
    Reminders(database, clock, URL).remind(Reminder(waiting, 1, ["owner@hotel.example"]))
    mail, webhook = told(database)
    assert shown(mail.text) == [
        headline,
        "Is there a helipad?",
        f"{URL}/console/conversations/{thread.id}",
    ]
    assert json.loads(webhook.text)["reminder"] == 1


DOWN = LineState(
    "deaf", True, datetime(2026, 11, 5, 7, 3, tzinfo=UTC), "", datetime(2026, 11, 5, 8, tzinfo=UTC)
)


def test_a_line_that_is_down_and_up_again(alerts: Alerts, database: Database) -> None:
    alerts.begin_incident("1", DOWN)
    alerts.end_incident("1", replace(DOWN, state="open"))
    down, webhook, up, _ = told(database)
    assert shown(down.text) == [
        "WhatsApp של Harbour House לא פועל",
        "מאז 5 בנובמבר, 09:03 הודעות של אורחים לא מגיעות ולא נענות.",
        "סיבה: WhatsApp אינו משיב בקו.",
        "כדאי לבדוק את WhatsApp בטלפון של העסק. אם הקישור נעלם, יש ליצור אותו מחדש: `frontdesk link 1` "
        "מציג קוד לסריקה.",
        f"{URL}/console",
    ]
    assert shown(up.text)[0] == "WhatsApp של Harbour House שוב פועל"
    assert shown(up.text)[-1] == f"{URL}/console"
    assert json.loads(webhook.text)["reason"] == "WhatsApp does not answer on the line"


@pytest.mark.parametrize(
    ("state", "reason", "line"),
    [
        ("silent", "", "סיבה: לא נשמע דבר מהתהליך שמחזיק את הקישור."),
        ("logged_out", "the link was removed on the phone", "סיבה: הקישור הוסר בטלפון."),
        ("blocked", "a new word of theirs", "סיבה: a new word of theirs."),
    ],
)
def test_why_a_line_is_down(alerts: Alerts, database: Database, state: str, reason: str, line: str) -> None:
    alerts.begin_incident("1", replace(DOWN, state=state, reason=reason))
    assert line in shown(told(database)[0].text)


def test_a_message_that_nobody_could_read(alerts: Alerts, database: Database) -> None:
    alerts.report_unreadable("1", Unreadable("3EB0", "972501112223@s.whatsapp.net", DOWN.at))
    title, words = shown(told(database)[0].text)
    assert title == "הודעה מאורח לא ניתנה לקריאה"
    assert words.startswith("הודעה מאת +972501112223 אל Harbour House, 5 בנובמבר, 10:00: ")


@pytest.mark.parametrize(
    ("conversation_id", "lines"),
    [
        (
            None,
            [
                "נוצלו 80% מתקציב ה-AI היומי של Harbour House",
                "$4.10 מתוך $5.00, 21 בנובמבר. עד חצות: עונה מודל זול יותר.",
                "להגדלת התקציב: `frontdesk tenant set 1 daily_budget_usd DOLLARS`",
                f"{URL}/console",
            ],
        ),
        (
            7,
            [
                "נוצלו 80% מתקציב ה-AI היומי לאורח אחד של Harbour House",
                "$4.10 מתוך $5.00, 21 בנובמבר. עד חצות, לאורח הזה: עונה מודל זול יותר.",
                "להגדלת התקציב: `frontdesk tenant set 1 guest_daily_budget_usd DOLLARS`",
                f"{URL}/console/conversations/7",
            ],
        ),
    ],
)
def test_a_budget(
    database: Database, clock: FakeClock, conversation_id: int | None, lines: list[str]
) -> None:
    crossing = Crossing(
        tenant_id="1",
        day="2026-11-21",
        level=Level.CHEAPER,
        spent_micros=4_100_000,
        budget_usd=5.0,
        conversation_id=conversation_id,
    )
    BudgetNoticeRows(database, clock, URL).tell(crossing)
    number, _mail, webhook = told(database)
    assert shown(number.text) == lines
    assert json.loads(webhook.text)["event"] == "budget"


def test_the_morning_report_also_after_a_guest_was_erased(
    database: Database, tenants: Tenants, leases: Leases
) -> None:
    clock = FakeClock(datetime(2026, 11, 21, 6, tzinfo=UTC))
    tenants.update("1", replace(SETTINGS, morning_report_at="07:00"))
    thread = ThreadBuilder(database, clock.now(), name="Maya")
    thread.needs_a_person()
    MorningReports(database, clock, URL).put_due(10)
    mail = told(database)[0]
    lines = shown(mail.text)
    assert lines[0] == "דוח בוקר של Harbour House: יום שישי, 20 בנובמבר 2026"
    assert f"  {URL}/console/conversations/{thread.id}" in lines
    assert lines[-1] == f"{URL}/console/report?day=2026-11-20"
    keys = [conversation_key(thread.id), lane_key(conversation_lane(thread.id)), lane_key(mail.lane)]
    held = [lease for key in keys if (lease := leases.claim(key)) is not None]
    GuestData(database, clock).erase(held, "1", 1, OPERATOR)
    assert shown(told(database)[0].text)[0] == "דוח בוקר"


@pytest.mark.parametrize(
    "reason",
    [
        "WhatsApp refuses this number (403): look at WhatsApp on its phone",
        "WhatsApp finds this client too old (405): set WHATSAPP_VERSION to the current version, or update",
        "WhatsApp refuses linked devices for this number (411): update WhatsApp on its phone",
        "another program uses this link (440); trying once more in a minute",
        "another program uses this link (440): stop it, then connect again",
        "the link was removed on the phone",
    ],
)
def test_what_the_sidecar_says_is_translated(alerts: Alerts, database: Database, reason: str) -> None:
    source = Path(__file__).parents[2].joinpath("services/whatsapp/src/reconnect.js").read_text("utf-8")
    assert reason in source.replace("${reason}", "another program uses this link (440)")
    alerts.begin_incident("1", replace(DOWN, reason=reason))
    assert reason not in told(database)[0].text

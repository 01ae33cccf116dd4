"""Staff are told again of who waits for a person, then who is next in line; once, on both databases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, insert, select, text

from server.domain.conversations import Mode, Reply, ReplySource
from server.domain.knowledge import Document
from server.domain.messages import Channel, DeliveryState, GuestAddress, MessageKind, OutboundKind
from server.domain.modes import Actor, ModeBy
from server.domain.playground import playground_key
from server.domain.tenants import TenantSettings
from server.inbox.reminders import LOOK_EVERY_S, URGENT_TIMES, Reminders
from server.store.drafts import Drafts
from server.store.guest_data import GuestData
from server.store.inbox import Inbox
from server.store.labels import Labels
from server.store.leases import Leases
from server.store.models import ConversationRow, GuestRow, OutboxRow
from server.store.modes import Modes
from server.store.questions import Questions
from server.store.reminders import Reminders as ReminderRows
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.turns import Turns
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.fakes.work_queue import FakeQueue
from tests.support.builders import a_message
from tests.support.side_by_side import side_by_side
from tests.support.threads import ThreadBuilder

NOA = Actor(ModeBy.CONSOLE, "Noa")
TEAM, OWNER, WEBHOOK = "972501234567@s.whatsapp.net", "owner@hotel.example", "https://h.example/x"
MANAGER, CHAIN = "972509999999@s.whatsapp.net", "duty@chain.example"
SETTINGS: dict[str, Any] = {
    "name": "Harbour House",
    "staff_numbers": ("+972501234567",),
    "staff_emails": (OWNER,),
    "staff_webhook": WEBHOOK,
    "next_in_line": ("+972509999999", CHAIN),
}
MINUTE = 60


class House:
    """A business whose desk hands over, and a process that looks who waits."""

    def __init__(self, database: Database, clock: FakeClock, leases: Leases, tenants: Tenants) -> None:
        self.database = database
        self.clock = clock
        self.tenants = tenants
        self.inbox = Inbox(database, clock)
        self.modes = Modes(database, clock)
        self._turns = Turns(database, leases, self.inbox, Replies(database, clock, "http://desk.example"))
        self.lanes = FakeQueue()
        self.process = self.a_process()
        self.wants()

    def wants(self, **changes: Any) -> None:
        """The business's settings."""
        self.tenants.update("1", TenantSettings(**(SETTINGS | changes)))

    def a_process(self) -> Reminders:
        """One that has just been started."""
        store = ReminderRows(self.database, self.clock, "http://desk.example")
        return Reminders(store, self.lanes, self.clock)

    def hears(self, words: str = "Is there a helipad?", reason: str = "not_known", **changes: Any) -> int:
        """A guest writes what the desk hands over; returns the conversation."""
        address = GuestAddress("maya@lid", lid="maya@lid", name="Maya")
        message = a_message(words, **({"address": address, "sent_at": self.clock.now()} | changes))
        taken = self._turns.begin(message, 4).taken
        assert taken is not None
        reply = Reply(
            text="I have asked the team.",
            source=ReplySource.KNOWLEDGE,
            language="en",
            handover=True,
            reason=reason,
            urgent=reason.startswith("emergency_"),
        )
        if taken.turn.mode is Mode.DRAFT:
            self._turns.commit_draft(taken.lease, taken.turn, reply, unless_newer=False)
        else:
            self._turns.commit(taken.lease, taken.turn, reply, self.clock.now(), None, unless_newer=False)
        return taken.turn.conversation_id

    def after(self, minutes: float, process: Reminders | None = None) -> list[str]:
        """Who is told when so much time has passed; the webhook's events have their number."""
        self.clock.advance(minutes * MINUTE)
        before = len(self.reminders())
        (process or self.process).look()
        return [_recipient(row) for row in self.reminders()[before:]]

    def reminders(self) -> list[OutboxRow]:
        """All that were ever put into the outbox."""
        with self.database.read() as session:
            notices = session.scalars(
                select(OutboxRow).where(OutboxRow.kind == OutboundKind.NOTICE).order_by(OutboxRow.id)
            )
            return [row for row in notices if "has waited" in row.text or '"reminder"' in row.text]

    def conversation(self, conversation_id: int) -> ConversationRow:
        with self.database.read() as session:
            return session.get_one(ConversationRow, conversation_id)


def _recipient(row: OutboxRow) -> str:
    if row.channel == Channel.STAFF_WEBHOOK:
        return f"webhook {json.loads(row.text)['reminder']}"
    return row.to_address


@pytest.fixture
def house(database: Database, clock: FakeClock, leases: Leases, tenants: Tenants) -> House:
    return House(database, clock, leases, tenants)


def test_the_team_is_told_again_and_then_one_after_another_who_is_next_in_line(house: House) -> None:
    house.hears()
    assert house.after(4.9) == []
    assert house.after(0.1) == [TEAM, OWNER, "webhook 1"]
    assert house.after(4.9) == []
    assert house.after(0.1) == [MANAGER, "webhook 2"]
    assert house.after(5) == [CHAIN, "webhook 3"]
    for _ in range(5):
        assert house.after(5) == []
    assert len(house.lanes.keys) == 7
    assert set(house.lanes.keys) == {row.lane for row in house.reminders()}


def test_a_reminder_tells_who_waits_how_long_for_what_and_where(house: House) -> None:
    conversation_id = house.hears("Is there a helipad? " + "x" * 400)
    since = house.conversation(conversation_id).needs_human_since
    assert since is not None
    house.after(6)
    number, mail, webhook = house.reminders()
    link = f"http://desk.example/console/conversations/{conversation_id}"
    first, words, last = number.text.splitlines()
    assert first == "Maya has waited 6 minutes for a person:"
    assert words == ("Is there a helipad? " + "x" * 400)[:300]
    assert last == link
    assert mail.text == number.text
    assert (number.channel, mail.channel) == (Channel.WHATSAPP, Channel.STAFF_EMAIL)
    assert json.loads(webhook.text) == {
        "event": "needs_human",
        "tenant": "1",
        "conversation": conversation_id,
        "url": link,
        "urgent": False,
        "reason": "not_known",
        "reminder": 1,
        "since": since.isoformat(),
    }


def test_a_reminder_quotes_what_a_person_is_needed_for(house: House) -> None:
    house.hears("Is there a helipad?")
    house.after(1)
    house.hears("And a heliport?")
    house.after(5)
    assert house.reminders()[0].text.splitlines()[1] == "Is there a helipad?"


def test_a_guest_without_words_or_name_is_spoken_of_all_the_same(house: House) -> None:
    house.hears("", "no_words", kind=MessageKind.IMAGE, address=GuestAddress("x@lid", lid="x@lid"))
    house.after(5)
    assert house.reminders()[0].text.splitlines()[:2] == [
        "A guest has waited 5 minutes for a person:",
        "(image)",
    ]


@pytest.mark.parametrize(
    ("minutes", "told"), [(1, "1 minute "), (119, "119 minutes "), (180, "3 hours "), (3_000, "2 days ")]
)
def test_long_waits_are_told_as_people_tell_them(house: House, minutes: int, told: str) -> None:
    house.wants(remind_after_minutes=min(minutes, 1_440))
    house.hears()
    house.after(minutes)
    assert f"has waited {told}for" in house.reminders()[0].text


def test_several_processes_and_restarts_tell_it_once(house: House) -> None:
    house.hears()
    processes = [house.a_process() for _ in range(4)]
    house.clock.advance(5 * MINUTE)
    side_by_side(*(process.look for process in processes))
    assert len(house.reminders()) == 3
    assert house.after(0.2, house.a_process()) == []
    house.clock.advance(5 * MINUTE)
    side_by_side(*(process.look for process in processes))
    assert len(house.reminders()) == 5


def test_after_an_outage_only_the_newest_that_is_due_is_told(house: House) -> None:
    house.hears()
    assert house.after(14, house.a_process()) == [MANAGER, "webhook 2"]
    assert house.after(1) == [CHAIN, "webhook 3"]


def test_what_was_due_half_a_day_ago_is_not_told_any_more(house: House) -> None:
    house.hears()
    assert house.after(15 + 12 * 60, house.a_process()) == []


def take_over(house: House, conversation_id: int) -> None:
    house.modes.set_mode("1", conversation_id, Mode.HUMAN, NOA)


def write(house: House, conversation_id: int) -> None:
    house.modes.write_as_staff("1", conversation_id, "No, sorry.", NOA)


def answer_the_question(house: House, conversation_id: int) -> None:
    questions = Questions(house.database, house.clock)
    (group,) = questions.page("1").groups
    assert group.newest.conversation_id == conversation_id
    answer = Document("", "Helipad", "No helicopter may land here.", "en")
    questions.answer("1", group.newest.id, answer, NOA, tells_guests=True)


def write_on_the_business_s_phone(house: House, conversation_id: int) -> None:
    house.clock.advance(3)
    address = GuestAddress("maya@lid", lid="maya@lid")
    message = a_message("No.", from_me=True, address=address, sent_at=house.clock.now())
    assert house.inbox.save("1", [message])[0].conversation_id == conversation_id


@pytest.mark.parametrize("do", [take_over, write, answer_the_question, write_on_the_business_s_phone])
@pytest.mark.parametrize("minutes", [1, 6])
def test_who_has_been_seen_to_is_not_spoken_of_any_more(
    house: House, do: Callable[[House, int], None], minutes: int
) -> None:
    conversation_id = house.hears()
    told = house.after(minutes)
    do(house, conversation_id)
    for _ in range(4):
        assert house.after(5) == []
    assert len(told) == (3 if minutes > 5 else 0)


def test_a_draft_is_waited_for_until_it_is_sent(house: House) -> None:
    conversation_id = house.hears()
    house.modes.set_mode("1", conversation_id, Mode.DRAFT, NOA)
    house.hears("Hello?")
    assert house.after(5) == [TEAM, OWNER, "webhook 1"]
    drafts = Drafts(house.database, house.clock, house.modes)
    draft = drafts.open_draft("1", conversation_id)
    assert draft is not None
    drafts.send("1", conversation_id, draft.id, None, NOA)
    assert house.after(5) == []


def test_of_danger_all_are_told_each_minute_where_the_desk_only_drafts(house: House) -> None:
    conversation_id = house.hears()
    house.modes.set_mode("1", conversation_id, Mode.DRAFT, NOA)
    house.hears("Fire!", "emergency_fire")
    assert house.after(1) == [TEAM, OWNER, "webhook 1"]
    assert house.after(1) == [TEAM, OWNER, MANAGER, "webhook 2"]
    assert json.loads(house.reminders()[-1].text)["urgent"] is True


def test_who_waits_again_is_spoken_of_again(house: House) -> None:
    conversation_id = house.hears()
    house.after(5)
    write(house, conversation_id)
    house.modes.set_mode("1", conversation_id, Mode.AI, NOA)
    house.hears("And a heliport?")
    assert house.after(4) == []
    assert house.after(1) == [TEAM, OWNER, "webhook 1"]


def test_somebody_of_the_team_who_looks_after_it_is_enough(house: House) -> None:
    conversation_id = house.hears()
    Users(house.database, house.clock).add("1", "Noa", "a long password")
    labels = Labels(house.database, house.clock)
    (noa,) = labels.team("1")
    labels.assign("1", conversation_id, noa.id, NOA)
    assert house.after(5) == []
    labels.assign("1", conversation_id, None, NOA)
    assert house.after(1) == [TEAM, OWNER, "webhook 1"]


def test_a_business_that_wants_no_reminders_gets_none(house: House) -> None:
    house.wants(remind_after_minutes=0)
    house.hears()
    house.hears("Fire!", "emergency_fire", address=GuestAddress("dan@lid", lid="dan@lid"))
    assert house.after(5) == house.after(60) == []


def test_tests_of_staff_are_never_spoken_of(house: House) -> None:
    conversation_id = house.hears()
    with house.database.write() as session:
        guest = session.get_one(GuestRow, session.get_one(ConversationRow, conversation_id).guest_id)
        guest.chat_key = playground_key(1, "x")
    assert house.after(5) == []


def test_businesses_have_their_own_minutes_and_people(house: House) -> None:
    house.tenants.update(
        "2", TenantSettings(name="Hill Inn", remind_after_minutes=2, staff_emails=("hill@inn.example",))
    )
    house.hears()
    house.hears(tenant_id="2")
    assert house.after(2) == ["hill@inn.example"]
    assert house.after(3) == [TEAM, OWNER, "webhook 1"]


JERUSALEM = ZoneInfo("Asia/Jerusalem")


def at(house: House, local: str) -> None:
    """Turn the clock to that time of the business."""
    moment = datetime.fromisoformat(local).replace(tzinfo=JERUSALEM)
    house.clock.advance((moment - house.clock.now()).total_seconds())


def test_out_of_office_hours_reminders_wait_until_they_begin(house: House) -> None:
    house.wants(office_hours="Su-Th 08:00-18:00; Fr 08:00-13:00")
    # On a Saturday, at half past eleven.
    house.hears()
    for _ in range(3):
        assert house.after(5) == []
    at(house, "2026-11-22 08:04:59")
    assert house.after(0) == []
    assert house.after(1) == [TEAM, OWNER, "webhook 1"]
    assert house.after(5) == [MANAGER, "webhook 2"]


def test_only_minutes_of_the_office_hours_count(house: House) -> None:
    house.wants(office_hours="Mo-Su 08:00-18:00", remind_after_minutes=10)
    at(house, "2026-11-22 17:46")
    house.hears()
    assert house.after(10) == [TEAM, OWNER, "webhook 1"]
    # Four minutes more have passed when the team goes home.
    at(house, "2026-11-23 08:05")
    assert house.after(0) == []
    assert house.after(1) == [MANAGER, "webhook 2"]


def test_what_was_due_in_an_outage_and_the_office_hours_are_over_waits_for_the_next_ones(
    house: House,
) -> None:
    house.wants(office_hours="Mo-Su 08:00-18:00")
    at(house, "2026-11-22 17:52")
    house.hears()
    at(house, "2026-11-22 18:30")
    assert house.after(0, house.a_process()) == []
    at(house, "2026-11-23 08:00")
    assert house.after(0.2) == [TEAM, OWNER, "webhook 1"]


@pytest.mark.parametrize("hours", ["off", "2020 Mo-Su 08:00-18:00"])
def test_hours_that_never_come_keep_nobody_waiting_for_ever(house: House, hours: str) -> None:
    house.wants(office_hours=hours)
    house.hears()
    assert house.after(5) == [TEAM, OWNER, "webhook 1"]


def test_of_danger_all_are_told_each_minute_whatever_the_office_hours(house: House) -> None:
    house.wants(office_hours="Su-Th 08:00-18:00")
    house.hears("Fire!", "emergency_fire")
    assert house.after(0.9) == []
    assert house.after(0.1) == [TEAM, OWNER, "webhook 1"]
    assert house.after(1) == [TEAM, OWNER, MANAGER, "webhook 2"]
    for number in range(3, URGENT_TIMES + 1):
        assert house.after(1) == [TEAM, OWNER, MANAGER, CHAIN, f"webhook {number}"]
    assert house.after(1) == house.after(5) == []
    first = house.reminders()[0]
    assert first.text.splitlines()[0] == (
        "Maya may be in danger, and has waited 1 minute for a person. Please act now:"
    )
    assert json.loads(house.reminders()[2].text)["urgent"] is True


def test_danger_begins_the_waiting_anew_and_calling_again_does_not(house: House) -> None:
    conversation_id = house.hears()
    house.after(5)
    house.after(300)
    house.hears("Fire!", "emergency_fire")
    assert house.conversation(conversation_id).needs_human_since == house.clock.now()
    assert house.after(1) == [TEAM, OWNER, "webhook 1"]
    house.hears("Help, fire!", "emergency_fire")
    assert house.after(1) == [TEAM, OWNER, MANAGER, "webhook 2"]
    house.after(60)
    house.hears("The fire is back!", "emergency_fire")
    assert house.after(1) == [TEAM, OWNER, "webhook 1"]


def test_what_staff_were_told_again_is_among_what_is_kept_of_the_guest(house: House) -> None:
    conversation_id = house.hears()
    house.after(5)
    guest_id = house.conversation(conversation_id).guest_id
    told = GuestData(house.database, house.clock).export("1", guest_id, NOA)["told_to_staff"]
    assert {row["message_id"] for row in told} >= {row.message_id for row in house.reminders()}


def test_what_is_no_danger_does_not_begin_the_waiting_anew(house: House) -> None:
    house.hears()
    house.after(4)
    house.hears("Hello?")
    assert house.after(1) == [TEAM, OWNER, "webhook 1"]


def test_a_failed_message_is_a_reason_to_be_told(house: House) -> None:
    thread = ThreadBuilder(house.database, house.clock.now())
    thread.reply("At three.", state=DeliveryState.FAILED)
    thread.needs_a_person()
    assert house.after(6)[:1] == [TEAM]


def test_a_clock_that_is_set_back_keeps_nobody_from_being_told(house: House) -> None:
    house.after(60 * 24)
    house.clock.set_back(60 * 60 * 24)
    house.hears()
    assert house.after(5) == [TEAM, OWNER, "webhook 1"]


def many_wait(house: House, number: int, since: datetime) -> None:
    """So many conversations of one business."""
    guests = [{"tenant_id": "1", "lid": f"{one}@lid", "created_at": since} for one in range(number)]
    waiting = {"tenant_id": "1", "needs_human_since": since, "last_message_at": since, "created_at": since}
    with house.database.write() as session:
        ids = session.scalars(insert(GuestRow).returning(GuestRow.id), guests).all()
        session.execute(insert(ConversationRow), [waiting | {"guest_id": one} for one in ids])


def selects_of(house: House, look: Callable[[], object]) -> list[tuple[str, Any]]:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(house.database.engine, "before_cursor_execute", note)
    look()
    event.remove(house.database.engine, "before_cursor_execute", note)
    return [one for one in asked if "SELECT" in one[0]]


def test_a_look_is_two_queries_however_many_businesses_have_guests_who_wait(house: House) -> None:
    for number in range(3, 20):
        house.tenants.add(str(number), TenantSettings(name=f"Inn {number}"))
        ThreadBuilder(house.database, house.clock.now(), str(number)).needs_a_person()
    house.clock.advance(2 * MINUTE)
    assert len(selects_of(house, house.process.look)) == 2


def test_who_has_waited_for_longer_than_all_reminders_costs_nothing(house: House) -> None:
    """Asked of the database itself: it goes along the index of those that wait, in the range that counts."""
    many_wait(house, 2_000, house.clock.now() - timedelta(days=20))
    house.process.look()
    house.clock.advance(LOOK_EVERY_S)
    (select_waiting,) = selects_of(house, house.process.look)
    with house.database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
        how = "EXPLAIN QUERY PLAN" if house.database.is_sqlite else "EXPLAIN ANALYZE"
        plan = "\n".join(
            str(row) for row in connection.exec_driver_sql(f"{how} {select_waiting[0]}", select_waiting[1])
        )
    assert "ix_conversations_needing" in plan
    assert not re.search(r"SCAN conversations(?! USING)|Seq Scan on conversations", plan), plan
    if not house.database.is_sqlite:
        # What the index scan found.
        assert re.search(r"Index Scan using ix_conversations_needing.*rows=0(\.00)? loops=1", plan), plan


def test_a_process_looks_every_few_seconds_at_the_most(house: House) -> None:
    assert selects_of(house, house.process.look)
    house.clock.advance(LOOK_EVERY_S / 2)
    assert selects_of(house, house.process.look) == []
    house.clock.advance(LOOK_EVERY_S / 2)
    assert selects_of(house, house.process.look)

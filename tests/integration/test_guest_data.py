"""What is kept of a guest is handed out whole, and once it is erased nothing tells of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import JSON, LargeBinary, String, Table, select

from server.adapters.media_folder import MediaFolder
from server.adapters.recordings_folder import RecordingsFolder
from server.commands.context import CommandContext
from server.commands.guests import guest as command_group
from server.domain.conversations import Turn, conversation_key, lane_key
from server.domain.messages import Channel, GuestAddress, conversation_lane
from server.domain.modes import Actor, ModeBy
from server.errors import AppError, Conflict, NotFound, ProviderRejected, ProviderUnavailable
from server.inbox.erasing import Eraser
from server.store.audit import AuditLog
from server.store.guest_data import LONGEST_CALL, GuestData
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import (
    Base,
    CallRow,
    ConversationRow,
    DocumentRow,
    GuestRow,
    InboundRow,
    ModelCallRow,
    OutboxRow,
    SpendRow,
    TurnRow,
)
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.fakes.senders import FakeLinkMemory
from tests.support.builders import a_message
from tests.support.full_guest import CALL_ID, LID, MARKS, NAME, NUMBER, RECORDING, WORD, FullGuest, a_notice
from tests.support.sidecar import SmallSidecar, small_sidecar
from tests.support.threads import ThreadBuilder

pytestmark = pytest.mark.usefixtures("tenants")

DAN = Actor(ModeBy.CONSOLE, "Dan")


@pytest.fixture
def media(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "data" / "media", 0)


@pytest.fixture
def recordings(tmp_path: Path) -> RecordingsFolder:
    return RecordingsFolder(tmp_path / "data" / "recordings", bytes(32), 0)


@pytest.fixture
def store(database: Database, clock: FakeClock) -> GuestData:
    return GuestData(database, clock)


@pytest.fixture
def link() -> FakeLinkMemory:
    return FakeLinkMemory()


@pytest.fixture
def eraser(
    store: GuestData, leases: Leases, media: MediaFolder, recordings: RecordingsFolder, link: FakeLinkMemory
) -> Eraser:
    return Eraser(store, leases, media, recordings, link)


@pytest.fixture
def zelda(
    database: Database, clock: FakeClock, media: MediaFolder, recordings: RecordingsFolder
) -> FullGuest:
    guest = FullGuest(database, clock, media)
    recording = recordings.begin("1", RECORDING)
    recording.write(b"a voice")
    recording.finish()
    recording.close()
    return guest


def texts_of(database: Database) -> dict[str, str]:
    """Everything that any table holds in words, by table and column."""
    found = {}
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, String | JSON | LargeBinary):
                    values = session.execute(select(column)).scalars()
                    found[f"{table.name}.{column.name}"] = "\n".join(map(_words, values))
    return found


def _words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)


def places_with(database: Database, marks: list[str]) -> set[str]:
    return {place for place, text in texts_of(database).items() if any(mark in text for mark in marks)}


def tables_of_conversations() -> set[str]:
    return {table.name for table in Base.metadata.sorted_tables if "conversation_id" in table.columns}


def rows(database: Database, table: type[Base]) -> int:
    with database.read() as session:
        return len(session.execute(select(table.__table__)).all())


@pytest.mark.usefixtures("tenants", "zelda")
def test_the_guest_of_these_tests_has_words_in_every_table_that_is_of_conversations(
    database: Database,
) -> None:
    with database.read() as session:
        empty = {
            table.name
            for table in Base.metadata.sorted_tables
            if table.name in tables_of_conversations() and not session.execute(select(table)).first()
        }
    assert empty == set()
    # Those without a word have none to give: they count, or tell who did what.
    with_words = {place.partition(".")[0] for place in places_with(database, MARKS)}
    assert tables_of_conversations() - with_words == {"spend", "conversation_events"}


def test_no_table_tells_of_a_guest_who_was_erased(
    database: Database, eraser: Eraser, zelda: FullGuest
) -> None:
    assert len(places_with(database, MARKS)) > 20
    eraser.erase("1", zelda.guest_id, DAN)
    assert places_with(database, MARKS) == set()
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            if "conversation_id" in table.columns:
                left = select(table).where(table.c.conversation_id == zelda.conversation_id)
                assert session.execute(left).first() is None, table.name


def test_no_file_tells_of_a_guest_who_was_erased(tmp_path: Path, eraser: Eraser, zelda: FullGuest) -> None:
    def files() -> list[Path]:
        return [path for path in (tmp_path / "data").rglob("*") if path.is_file()]

    assert len(files()) == 2
    eraser.erase("1", zelda.guest_id, DAN)
    assert files() == []


def test_the_link_is_told_of_the_guest_s_addresses_and_of_what_staff_were_told(
    eraser: Eraser, zelda: FullGuest, link: FakeLinkMemory, database: Database
) -> None:
    with database.read() as session:
        told = select(OutboxRow.message_id).where(OutboxRow.kind == "notice", OutboxRow.channel == "whatsapp")
        notice = session.scalars(told).one()
    eraser.erase("1", zelda.guest_id, DAN)
    ((tenant_id, addresses, message_ids),) = link.forgotten
    assert {f"{LID}@lid", f"{NUMBER}@s.whatsapp.net"} <= set(addresses)
    assert (tenant_id, message_ids) == ("1", [notice])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ProviderUnavailable("whatsapp", "ConnectionError"), "link to WhatsApp does not answer"),
        (ProviderRejected("whatsapp", "HTTP 401"), "link to WhatsApp does not answer"),
        (Conflict("on its way yet"), "on its way"),
    ],
    ids=["away", "refusing", "at work"],
)
def test_nothing_is_erased_that_the_link_has_not_forgotten(
    tmp_path: Path,
    database: Database,
    eraser: Eraser,
    zelda: FullGuest,
    link: FakeLinkMemory,
    leases: Leases,
    fault: AppError,
    said: str,
) -> None:
    before = texts_of(database)
    link.fault = fault
    with pytest.raises(Conflict, match=said):
        eraser.erase("1", zelda.guest_id, DAN)
    assert places_with(database, MARKS) == {
        place for place, text in before.items() if any(mark in text for mark in MARKS)
    }
    assert len([path for path in (tmp_path / "data").rglob("*") if path.is_file()]) == 2
    assert leases.claim(conversation_key(zelda.conversation_id)) is not None


def test_a_guest_who_was_never_on_whatsapp_is_erased_without_the_link(
    database: Database, eraser: Eraser, clock: FakeClock, link: FakeLinkMemory
) -> None:
    link.fault = ProviderUnavailable("whatsapp", "ConnectionError")
    caller = ThreadBuilder(database, clock.now(), phone=f"{NUMBER}@s.whatsapp.net")
    caller.guest_says("A pool?", channel="voice")
    with database.read() as session:
        guest_id = session.scalars(select(GuestRow.id)).one()
    eraser.erase("1", guest_id, DAN)
    assert rows(database, GuestRow) == 0


def test_what_models_cost_stays_without_the_turn(
    database: Database, eraser: Eraser, zelda: FullGuest
) -> None:
    eraser.erase("1", zelda.guest_id, DAN)
    with database.read() as session:
        call = session.scalars(select(ModelCallRow)).one()
        spend = session.scalars(select(SpendRow)).one()
    assert (call.turn_id, call.cost_micros, call.prompt_tokens) == ("", 900, 7)
    assert (spend.conversation_id, spend.cost_micros) == (0, 900)


def test_others_and_the_business_s_knowledge_stay(
    database: Database, eraser: Eraser, zelda: FullGuest, clock: FakeClock
) -> None:
    other = ThreadBuilder(database, clock.now(), name="Tom")
    other.reply("Gladly", covers=[other.guest_says("Breakfast?")])
    foreign = ThreadBuilder(database, clock.now(), tenant_id="2", phone=f"{NUMBER}@s.whatsapp.net")
    foreign.guest_says("At another business")
    with database.write() as session:
        link = f"http://desk/console/conversations/{zelda.conversation_id}"
        session.add(a_notice(Channel.WHATSAPP, f"Tom needs a person\n{link}0", clock.now()))
        session.add(a_notice(Channel.WHATSAPP, f"+{NUMBER} wrote", clock.now(), tenant_id="2"))
        session.add(
            DocumentRow(
                tenant_id="1", id="sweets", title="Sweets", body="None", language="en", valid_from="",
                valid_until="", hours="", source="", content_hash="x", updated_at=clock.now(),
            )
        )  # fmt: skip
    eraser.erase("1", zelda.guest_id, DAN)
    assert rows(database, InboundRow) == 2
    assert rows(database, TurnRow) == 1
    assert rows(database, GuestRow) == 2
    assert rows(database, DocumentRow) == 1
    # Tom's reply and his notice, and what the other business was told.
    assert rows(database, OutboxRow) == 3


def test_erasing_is_in_the_audit_log_by_the_guest_s_number_among_ours(
    database: Database, eraser: Eraser, zelda: FullGuest
) -> None:
    eraser.erase("1", zelda.guest_id, DAN)
    newest = AuditLog(database).page("1").entries[0]
    assert (newest.actor, newest.action) == ("console: Dan", "guest.erased")
    assert newest.subject == f"guest {zelda.guest_id}"
    assert newest.details == {}


def test_whoever_writes_later_from_the_same_number_is_a_new_guest(
    database: Database, eraser: Eraser, zelda: FullGuest, clock: FakeClock
) -> None:
    eraser.erase("1", zelda.guest_id, DAN)
    address = GuestAddress(reply_to=f"{LID}@lid", lid=f"{LID}@lid", phone=f"{NUMBER}@s.whatsapp.net")
    saved = Inbox(database, clock).save("1", [a_message(address=address)])
    assert len(saved) == 1
    with database.read() as session:
        message = session.scalars(select(InboundRow)).one()
        guest = session.scalars(select(GuestRow)).one()
    assert message.guest_id == guest.id
    assert guest.name is None or NAME not in guest.name


def test_what_is_written_to_the_next_guest_has_ids_of_its_own(
    database: Database, eraser: Eraser, clock: FakeClock
) -> None:
    inbox = Inbox(database, clock)

    def turn_of_a_new_guest() -> Turn:
        saved = inbox.save("1", [a_message()])
        turn = inbox.next_turn(saved[0].conversation_id, 0)
        assert turn is not None
        return turn

    first = turn_of_a_new_guest()
    with database.read() as session:
        guest_id = session.scalars(select(GuestRow.id)).one()
    eraser.erase("1", guest_id, DAN)
    second = turn_of_a_new_guest()
    assert second.conversation_id > first.conversation_id
    assert second.id != first.id


def test_no_number_of_an_erased_guest_comes_to_mean_somebody_else(
    database: Database, eraser: Eraser, zelda: FullGuest, clock: FakeClock, media: MediaFolder
) -> None:
    eraser.erase("1", zelda.guest_id, DAN)
    next_guest = FullGuest(database, clock, media, "2")
    for number in ("guest_id", "conversation_id", "message_id", "answer_id", "draft_id", "question_id"):
        assert getattr(next_guest, number) > getattr(zelda, number), number


def test_rows_of_one_person_that_wait_to_be_joined_are_erased_together(
    database: Database, eraser: Eraser, zelda: FullGuest, clock: FakeClock
) -> None:
    other = ThreadBuilder(database, clock.now(), name=NAME, phone=None, lid="1@lid")
    other.guest_says(WORD)
    third = ThreadBuilder(database, clock.now(), name=NAME, phone=None, lid="2@lid")
    third.guest_says(WORD)
    with database.write() as session:
        leaving = session.get_one(ConversationRow, other.id).guest_id
        session.get_one(GuestRow, leaving).merge_into = zelda.guest_id
        last = session.get_one(ConversationRow, third.id).guest_id
        session.get_one(GuestRow, last).merge_into = leaving
    eraser.erase("1", last, DAN)
    assert rows(database, GuestRow) == 0
    assert places_with(database, MARKS) == set()


@pytest.mark.parametrize("what", ["a turn runs", "a message is being sent", "a notice is being sent"])
def test_nothing_is_erased_while_somebody_is_at_work(
    database: Database, eraser: Eraser, zelda: FullGuest, leases: Leases, what: str
) -> None:
    keys = {
        "a turn runs": conversation_key(zelda.conversation_id),
        "a message is being sent": lane_key(conversation_lane(zelda.conversation_id)),
        "a notice is being sent": lane_key("staff:1:x"),
    }
    before = texts_of(database)
    held = leases.claim(keys[what])
    assert held is not None
    with pytest.raises(Conflict, match="try again"):
        eraser.erase("1", zelda.guest_id, DAN)
    assert places_with(database, MARKS) == {
        place for place, text in before.items() if any(mark in text for mark in MARKS)
    }
    leases.release(held)
    eraser.erase("1", zelda.guest_id, DAN)
    # All that it took is free again.
    assert all(leases.claim(key) is not None for key in keys.values())


def test_nothing_is_erased_while_the_guest_is_on_the_phone(
    database: Database, eraser: Eraser, zelda: FullGuest, clock: FakeClock
) -> None:
    with database.write() as session:
        call = session.get_one(CallRow, CALL_ID)
        call.started_at, call.ended_at = clock.now(), None
    with pytest.raises(Conflict, match="on the phone"):
        eraser.erase("1", zelda.guest_id, DAN)
    # A call whose end nobody has told does not go on for ever.
    clock.advance(LONGEST_CALL.total_seconds() + 1)
    eraser.erase("1", zelda.guest_id, DAN)


def test_what_came_in_after_the_leases_were_taken_is_not_erased_without_them(
    database: Database, store: GuestData, zelda: FullGuest, leases: Leases
) -> None:
    held = leases.claim(conversation_key(zelda.conversation_id))
    assert held is not None
    with pytest.raises(Conflict):
        store.erase([held], "1", zelda.guest_id, DAN)
    assert rows(database, GuestRow) == 1


def test_another_business_s_guest_is_not_there(store: GuestData, eraser: Eraser, zelda: FullGuest) -> None:
    for ask in (
        lambda: store.export("2", zelda.guest_id, DAN),
        lambda: store.summary("2", zelda.guest_id),
        lambda: eraser.erase("2", zelda.guest_id, DAN),
        lambda: eraser.erase("1", zelda.guest_id + 100, DAN),
    ):
        with pytest.raises(NotFound):
            ask()
    assert store.summary("1", zelda.guest_id).counts["messages_in"] == 2


def test_the_export_has_everything_of_the_guest_and_nothing_of_others(
    database: Database, store: GuestData, zelda: FullGuest, clock: FakeClock
) -> None:
    ThreadBuilder(database, clock.now(), name="Tom").guest_says("Breakfast?")
    exported = json.loads(json.dumps(store.export("1", zelda.guest_id, DAN)))
    assert exported["business"] == "Harbour House"
    assert [guest["name"] for guest in exported["guests"]] == [NAME]
    assert [message["text"] for message in exported["messages_in"]] == [f"Have you got {WORD}?", WORD]
    assert [message["text"] for message in exported["messages_out"]] == [f"{WORD}, yes"]
    assert [call["caller"] for call in exported["calls"]] == [f"+{NUMBER}"]
    assert [recording["name"] for recording in exported["recordings"]] == [RECORDING]
    assert exported["files"] == [zelda.message_id]
    assert exported["messages_in"][1]["details"]["file_name"] == f"{WORD}.jpg"
    assert len(exported["told_to_staff"]) == 3
    for kind in ("conversations", "turns", "events", "notes", "labels", "drafts", "questions"):
        assert len(exported[kind]) == 1, kind
    assert "Breakfast" not in json.dumps(exported)
    newest = AuditLog(database).page("1").entries[0]
    assert (newest.action, newest.subject) == ("guest.exported", f"guest {zelda.guest_id}")


def test_the_export_has_every_table_of_conversations() -> None:
    # What a new table keeps of a guest is handed out too, unless it only counts.
    exported: set[str] = {_table(row).name for row in GuestData.EXPORTED.values()}
    assert tables_of_conversations() - exported == {"spend"}


def _table(row: type[Base]) -> Table:
    assert isinstance(row.__table__, Table)
    return row.__table__


def test_the_export_has_no_secret_in_it(store: GuestData, zelda: FullGuest) -> None:
    text = json.dumps(store.export("1", zelda.guest_id, DAN))
    assert "token" not in text
    assert '"key"' not in text


@pytest.fixture
def sidecar() -> Iterator[SmallSidecar]:
    with small_sidecar("a secret of the test") as running:
        yield running


@pytest.fixture
def command(
    database: Database, clock: FakeClock, tmp_path: Path, sidecar: SmallSidecar
) -> Callable[..., Result]:
    """Runs ``frontdesk guest`` on the test's own database, data folder and sidecar."""
    context = CommandContext()
    settings = context.settings.model_copy(
        update={
            "data_dir": tmp_path / "data",
            "internal_secret": SecretStr(sidecar.secret),
            "whatsapp_url": sidecar.url,
        }
    )
    context.__dict__ |= {"database": database, "clock": clock, "settings": settings}

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(command_group, arguments, obj=context)

    return run


def test_guests_are_exported_and_erased_by_commands(
    command: Callable[..., Result],
    database: Database,
    zelda: FullGuest,
    tmp_path: Path,
    sidecar: SmallSidecar,
) -> None:
    out = tmp_path / "guest.json"
    assert command("export", str(zelda.guest_id), "--tenant", "1", "--out", str(out)).exit_code == 0
    assert json.loads(out.read_text())["guests"][0]["name"] == NAME
    assert NAME in command("export", str(zelda.guest_id), "--tenant", "1").output
    assert isinstance(command("erase", str(zelda.guest_id), "--tenant", "2", "--yes").exception, NotFound)
    assert command("erase", str(zelda.guest_id), "--tenant", "1").exit_code != 0
    sidecar.refusal = 503
    assert isinstance(command("erase", str(zelda.guest_id), "--tenant", "1", "--yes").exception, Conflict)
    assert rows(database, GuestRow) == 1
    sidecar.refusal = None
    assert command("erase", str(zelda.guest_id), "--tenant", "1", "--yes").exit_code == 0
    assert sidecar.asked[-1][:2] == ("POST", "/tenants/1/forget")
    assert places_with(database, MARKS) == set()

"""What benches put into databases: the floor's rows, and conversations and history in bulk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from bench.fill import fill_conversations, fill_history
from bench.floor import DATABASE, PATH, alone, make_table
from bench.messages import TENANT, webhook_bodies
from server.store.inbox import Inbox
from server.store.models import Base, ConversationRow, GuestRow, InboundRow, OutboxRow
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message


def _count(database: Database, table: type[Base]) -> int:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_filled_database_has_so_many_conversations_each_answered(
    database: Database, database_url: str, tenants: Tenants
) -> None:
    fill_conversations(database_url, 50)
    assert [_count(database, table) for table in (GuestRow, ConversationRow, InboundRow, OutboxRow)] == [
        50
    ] * 4
    with database.read() as session:
        covered = session.execute(
            select(func.count())
            .select_from(InboundRow)
            .join(OutboxRow, OutboxRow.id == InboundRow.covered_by)
            .where(OutboxRow.conversation_id == InboundRow.conversation_id)
        ).scalar_one()
    assert covered == 50


def test_filling_adds_only_what_is_missing(database: Database, database_url: str, tenants: Tenants) -> None:
    fill_conversations(database_url, 10)
    fill_conversations(database_url, 30)
    fill_conversations(database_url, 20)
    assert _count(database, ConversationRow) == 30


def test_a_conversation_that_a_guest_has_written_in_gets_the_history_asked_for(
    database: Database, database_url: str, tenants: Tenants, clock: FakeClock
) -> None:
    Inbox(database, clock).save(TENANT, [a_message()])
    fill_conversations(database_url, 3)
    fill_history(database_url, 200)
    # Two others of one answered message each, and the guest's own message without a reply.
    assert _count(database, InboundRow) == 100 + 2
    assert _count(database, OutboxRow) == 99 + 2


def test_the_desk_goes_on_in_a_filled_database_and_finds_only_what_a_guest_asks(
    database: Database, database_url: str, tenants: Tenants, clock: FakeClock
) -> None:
    inbox = Inbox(database, clock)
    saved = inbox.save(TENANT, [a_message()])[0]
    fill_conversations(database_url, 20)
    fill_history(database_url, 50)
    assert inbox.due_conversations(100) == [saved.conversation_id]
    again = inbox.save(TENANT, [a_message()])[0]
    assert again.conversation_id == saved.conversation_id


def test_the_floor_saves_each_message_once(database_url: str, tmp_path: Path, monkeypatch: Any) -> None:
    url = f"sqlite:///{tmp_path / 'floor.db'}" if database_url.startswith("sqlite") else database_url
    monkeypatch.setenv(DATABASE, url)
    make_table(url)
    client = alone().test_client()
    bodies = [json.loads(body) for body in webhook_bodies(3, 2, "t")]
    for body in [*bodies, bodies[0]]:
        assert client.post(PATH, json=body).status_code == 200
    database = Database(url)
    with database.read() as session:
        rows = session.execute(text("SELECT text FROM bench_floor_messages ORDER BY id")).scalars().all()
    database.close()
    assert rows == [body["payload"]["messages"][0]["message"]["conversation"] for body in bodies]

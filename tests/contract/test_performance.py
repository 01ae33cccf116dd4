"""How quick turns and models were, read from the newest rows: each business its own."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.orm import Session

from server.domain.conversations import Reply, ReplySource
from server.domain.model_calls import CallOutcome
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import ModelCallRow, OutboxRow, TurnRow
from server.store.performance import LOOKED_AT, Performance, pool_state
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message

HOUR = timedelta(hours=1)


@pytest.fixture
def performance(database: Database, tenants: Tenants) -> Performance:
    assert tenants.get("1")
    return Performance(database)


def calls(database: Database, clock: FakeClock, *rows: dict[str, Any]) -> None:
    common = {
        "tenant_id": "1",
        "turn_id": "t",
        "provider": "openai",
        "model": "small",
        "outcome": CallOutcome.ANSWERED,
        "started_at": clock.now(),
        "first_token_ms": 400.0,
        "total_ms": 900.0,
        "waited_ms": 0.0,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cost_micros": 30,
    }
    with database.write() as session:
        session.execute(insert(ModelCallRow), [common | row for row in rows])


def turns(database: Database, clock: FakeClock, leases: Leases, *tenant_ids: str) -> None:
    """One turn of each, a second apart, committed 1.5 s after the guest wrote."""
    inbox, replies = Inbox(database, clock), Replies(database, clock, "")
    for tenant_id in tenant_ids:
        saved = inbox.save(tenant_id, [a_message(tenant_id=tenant_id)])[0]
        lease = leases.claim(f"conversation:{saved.conversation_id}")
        turn = inbox.next_turn(saved.conversation_id, 0)
        assert lease is not None
        assert turn is not None
        clock.advance(1.5)
        reply = Reply(text="7:30", source=ReplySource.MODEL, language="en", steps_ms={"context": 20.0})
        replies.commit_reply(lease, turn, reply, clock.now())
        leases.release(lease)


def test_calls_of_the_last_hour_come_newest_first(
    performance: Performance, database: Database, clock: FakeClock
) -> None:
    now = clock.now()
    calls(
        database,
        clock,
        {"started_at": now - timedelta(minutes=50), "model": "old"},
        {"started_at": now - timedelta(minutes=1), "first_token_ms": None, "outcome": CallOutcome.TIMED_OUT},
        {"started_at": now - timedelta(minutes=61), "model": "too old"},
    )
    newest, oldest = performance.recent_calls("1", now - HOUR)
    assert (newest.outcome, newest.first_token_ms, newest.total_ms) == (CallOutcome.TIMED_OUT, None, 900.0)
    assert newest.started_at == now - timedelta(minutes=1)
    assert (oldest.model, oldest.provider, oldest.cost_micros) == ("old", "openai", 30)


def test_another_business_is_told_nothing(
    performance: Performance, database: Database, clock: FakeClock, leases: Leases
) -> None:
    calls(database, clock, {}, {"tenant_id": "2", "model": "theirs"})
    turns(database, clock, leases, "1", "2", "2")
    since = clock.now() - HOUR
    assert [call.model for call in performance.recent_calls("1", since)] == ["small"]
    assert [call.model for call in performance.recent_calls("2", since)] == ["theirs"]
    assert [len(performance.recent_turns(tenant_id, since)) for tenant_id in ("1", "2", "3")] == [1, 2, 0]


def test_no_more_than_so_many_are_read(
    performance: Performance, database: Database, clock: FakeClock, leases: Leases
) -> None:
    calls(
        database,
        clock,
        *[{"started_at": clock.now() - timedelta(seconds=n), "total_ms": n} for n in range(9)],
    )
    turns(database, clock, leases, "1", "1", "1")
    since = clock.now() - HOUR
    assert [call.total_ms for call in performance.recent_calls("1", since, limit=3)] == [0, 1, 2]
    assert len(performance.recent_turns("1", since, limit=2)) == 2


def test_a_turn_is_told_with_what_became_of_its_reply(
    performance: Performance, database: Database, clock: FakeClock, leases: Leases
) -> None:
    turns(database, clock, leases, "1")
    committed_at = clock.now()
    with database.write() as session:
        row = session.scalars(select(OutboxRow)).one()
        row.sent_at = committed_at + timedelta(milliseconds=250)
        row.delivered_at = committed_at + timedelta(seconds=2)
    (turn,) = performance.recent_turns("1", committed_at - HOUR)
    assert (turn.source, turn.committed_at) == (ReplySource.MODEL, committed_at)
    assert turn.steps_ms == {"context": 20.0, "committed": 1500.0, "sent": 1750.0, "delivered": 3500.0}


def test_turns_before_the_time_that_is_asked_for_are_left_out(
    performance: Performance, database: Database, clock: FakeClock, leases: Leases
) -> None:
    turns(database, clock, leases, "1")
    then = clock.now()
    turns(database, clock, leases, "1")
    (turn,) = performance.recent_turns("1", then)
    assert turn.committed_at > then


def test_what_is_read_does_not_grow_with_the_tables(
    performance: Performance, database: Database, clock: FakeClock, leases: Leases
) -> None:
    """Asked of the database itself: it goes along indices, and scans neither table."""
    old = clock.now() - timedelta(days=30)
    calls(database, clock, *[{"started_at": old} for _ in range(3 * LOOKED_AT)])
    turns(database, clock, leases, "1")
    with database.write() as session:
        turn, reply = copied(session, TurnRow), copied(session, OutboxRow)
        del reply["id"]
        reply["committed_at"] = old
        ids = [f"old{number}" for number in range(3 * LOOKED_AT)]
        session.execute(insert(TurnRow), [turn | {"id": name} for name in ids])
        session.execute(insert(OutboxRow), [reply | {"message_id": name, "turn_id": name} for name in ids])
    plans = explained(database, clock, performance)
    assert len(plans) == 3
    for plan in plans:
        # SQLite's word and PostgreSQL's for reading all of a table.
        assert not re.search(r"SCAN (model_calls|turns|outbox_messages)(?! USING)|Seq Scan", plan), plan


def copied(session: Session, table: type[TurnRow] | type[OutboxRow]) -> dict[str, Any]:
    """The only row of a table."""
    row = session.scalars(select(table)).one()
    return {column.name: getattr(row, column.name) for column in table.__table__.columns}


def explained(database: Database, clock: FakeClock, performance: Performance) -> list[str]:
    """How the database would read the calls and the turns."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    event.listen(database.engine, "before_cursor_execute", note)
    performance.recent_calls("1", clock.now() - HOUR)
    performance.recent_turns("1", clock.now() - HOUR)
    event.remove(database.engine, "before_cursor_execute", note)
    how = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.engine.connect() as connection:
        return [
            "\n".join(str(row) for row in connection.exec_driver_sql(f"{how} {statement}", parameters))
            for statement, parameters in asked
            if "SELECT" in statement
        ]


def test_connections_that_are_at_work_are_busy(database: Database) -> None:
    with database.read() as session:
        session.execute(text("SELECT 1"))
        inside = pool_state(database)
    after = pool_state(database)
    assert (inside.open, inside.busy) == (1, 1)
    assert (after.open, after.busy) == (1, 0)

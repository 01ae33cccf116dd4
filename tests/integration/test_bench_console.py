"""`frontdesk bench console`, tiny: that everything is asked for and found; never how long it took."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from bench.console import command
from bench.console_data import AGENCY_ID, OTHER_TENANT, fill_console
from bench.console_texts import AGENCY_MARK, RARE_WORD
from bench.messages import TENANT
from server.adapters.system_clock import SystemClock
from server.domain.tenants import TenantSettings
from server.domain.views import OutboundView
from server.store.models import ConversationRow, InboundRow, OutboxRow, TurnRow
from server.store.queries import ConsoleQueries
from server.store.session import Database
from server.store.tenants import Tenants

CONVERSATIONS, MESSAGES = 20, 1000


@pytest.fixture
def filled(database: Database) -> Database:
    """Threads of the business and of another."""
    Tenants(database, SystemClock()).add(TENANT, TenantSettings(name="Harbour House"))
    fill_console(database.url.render_as_string(hide_password=False), CONVERSATIONS, MESSAGES)
    return database


def test_the_filled_database_has_the_messages_asked_for_and_another_business_beside(filled: Database) -> None:
    with filled.read() as session:
        for row, count in ((ConversationRow, CONVERSATIONS), (InboundRow, MESSAGES // 2)):
            counted = select(func.count()).select_from(row).where(row.tenant_id == TENANT)
            assert session.execute(counted).scalar_one() == count
            others = select(func.count()).select_from(row).where(row.tenant_id == OTHER_TENANT)
            assert session.execute(others).scalar_one() == count // 10
        longest = select(func.count()).where(OutboxRow.conversation_id == AGENCY_ID)
        assert session.execute(longest).scalar_one() == MESSAGES // 20
        marked = select(func.count()).where(InboundRow.text.contains(AGENCY_MARK))
        assert session.execute(marked).scalar_one() == MESSAGES // 20
        assert (
            session.execute(select(func.count()).where(InboundRow.text.contains(RARE_WORD))).scalar_one() == 1
        )
        assert session.execute(select(func.count(TurnRow.id))).scalar_one() > 0


def test_a_filled_thread_is_shown_as_one_that_the_desk_has_written(filled: Database) -> None:
    page = ConsoleQueries(filled).thread(TENANT, AGENCY_ID)
    assert page.older is not None
    replies = [line for line in page.lines if isinstance(line, OutboundView)]
    assert replies
    assert all(reply.guest_wrote_at is not None for reply in replies)
    assert any(reply.turn is not None for reply in replies)


def test_the_bench_asks_for_lists_searches_and_threads() -> None:
    options = [
        f"--conversations={CONVERSATIONS}",
        f"--messages={MESSAGES}",
        "--rounds=1",
        "--paints=0",
        "--database=sqlite",
        "--json",
    ]
    done = CliRunner().invoke(command, options)
    assert done.exit_code == 0, done.output
    found = {line["metric"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert found["search, a rare word: found on the page"]["value"] == 1
    assert found["search, a word of one guest's many messages: found on the page"]["value"] == 1
    assert found["search, a word in no message: found on the page"]["value"] == 0
    for group, budget in (("list", 150), ("search", 150), ("thread", 100)):
        figure = found[f"{group}, all kinds p95"]
        assert figure["budget"] == budget
        assert figure["value"] > 0
    assert found["floor, a file p50"]["value"] > 0
    assert found["thread, the longest, deep p95"]["budget"] == 100

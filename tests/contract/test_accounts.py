"""Calls to models and what they have cost, in memory and in the database; and what staff hear of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from server.domain.messages import Channel
from server.domain.model_calls import CallOutcome
from server.domain.spending import AccountEntry, Crossing, Level, Spent
from server.domain.tenants import TenantSettings
from server.errors import NotFound
from server.llm.ledger import Ledger
from server.ports.accounts import AccountStore, BudgetNotices, ModelLedger
from server.store.accounts import Accounts
from server.store.budget_notices import BudgetNoticeRows
from server.store.models import ModelCallRow, OutboxRow, SpendRow
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.accounts import FakeAccounts, FakeBudgetNotices, FakeLedger
from tests.fakes.clock import FakeClock
from tests.support.model_calls import a_call, an_entry

DAY = "2026-11-21"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def accounts(request: pytest.FixtureRequest) -> Iterator[AccountStore]:
    """With the businesses 1 and 2."""
    if request.param == "memory":
        yield FakeAccounts("1", "2")
        return
    template = request.getfixturevalue(request.param.replace("postgresql", "postgres") + "_template")
    with template.fresh() as url:
        database = Database(url)
        tenants = Tenants(database, FakeClock())
        for tenant_id in ("1", "2"):
            tenants.add(tenant_id, TenantSettings(name="Harbour House"))
        yield Accounts(database)
        database.close()


def test_before_anything_was_spent_there_is_nothing(accounts: AccountStore) -> None:
    accounts.save([])
    assert accounts.spent("1", 7, DAY) == Spent(0, 0)


def test_what_belongs_to_no_conversation_is_paid_once(accounts: AccountStore) -> None:
    accounts.save([an_entry(0, 100), an_entry(7, 5)])
    assert accounts.spent("1", 7, DAY) == Spent(105, 5)


def test_a_business_pays_for_all_its_guests(accounts: AccountStore) -> None:
    accounts.save([an_entry(7, 100), an_entry(8, 30), an_entry(7, 5)])
    accounts.save([an_entry(7, 1)])
    assert accounts.spent("1", 7, DAY) == Spent(136, 106)
    assert accounts.spent("1", 8, DAY) == Spent(136, 30)
    assert accounts.spent("1", 9, DAY) == Spent(136, 0)


def test_businesses_and_days_are_apart(accounts: AccountStore) -> None:
    accounts.save([an_entry(7, 100), an_entry(8, 30, tenant_id="2"), an_entry(7, 5, day="2026-11-22")])
    assert accounts.spent("1", 7, DAY) == Spent(100, 100)
    assert accounts.spent("2", 8, DAY) == Spent(30, 30)
    assert accounts.spent("1", 7, "2026-11-22") == Spent(5, 5)


def test_of_calls_that_cannot_all_be_saved_none_is(accounts: AccountStore) -> None:
    with pytest.raises(NotFound):
        accounts.save([an_entry(7, 100), an_entry(7, 100, tenant_id="gone")])
    assert accounts.spent("1", 7, DAY) == Spent(0, 0)


def test_processes_that_save_at_once_lose_nothing(database: Database, tenants: Tenants) -> None:
    accounts = Accounts(database)

    def save(first: int) -> None:
        accounts.save([an_entry(conversation, 1) for conversation in (first, 1 + first % 3, 3)])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(save, [1, 2, 3] * 10))
    with database.read() as session:
        sums = {row.conversation_id: row.cost_micros for row in session.scalars(select(SpendRow))}
    assert sums == {0: 90, 1: 20, 2: 20, 3: 50}


def test_a_call_is_kept_as_it_was(database: Database, tenants: Tenants) -> None:
    call = replace(
        a_call(42), outcome=CallOutcome.TIMED_OUT, first_token_ms=None, prompt_tokens=900, waited_ms=3.5
    )
    Accounts(database).save([AccountEntry("1", 7, "turn-1", DAY, call)])
    with database.read() as session:
        (row,) = session.scalars(select(ModelCallRow))
    assert (row.tenant_id, row.turn_id, row.provider, row.model) == ("1", "turn-1", call.provider, call.model)
    assert (row.outcome, row.first_token_ms, row.waited_ms) == ("timed_out", None, 3.5)
    assert (row.started_at, row.total_ms) == (call.started_at, call.total_ms)
    assert (row.prompt_tokens, row.completion_tokens, row.cost_micros) == (900, call.completion_tokens, 42)


@pytest.fixture(params=["fake", "real"])
def ledger(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[ModelLedger]:
    if request.param == "fake":
        yield FakeLedger()
        return
    real = Ledger(FakeAccounts("1", "2"), clock.monotonic)
    yield real
    real.close()


def test_a_ledger_knows_at_once_what_it_was_told(ledger: ModelLedger) -> None:
    assert ledger.spent("1", 7, DAY) == Spent(0, 0)
    ledger.note("1", 7, "turn-1", DAY, a_call(100))
    ledger.note("1", 8, "turn-2", DAY, a_call(20))
    ledger.note("2", 9, "turn-3", DAY, a_call(3))
    assert ledger.spent("1", 7, DAY) == Spent(120, 100)
    assert ledger.spent("2", 9, DAY) == Spent(3, 3)
    assert ledger.spent("2", 9, "2026-11-22") == Spent(0, 0)


CROSSING = Crossing(
    tenant_id="1", day=DAY, level=Level.CHEAPER, spent_micros=4_100_000, budget_usd=5.0, conversation_id=None
)
SETTINGS = TenantSettings(
    name="Harbour House",
    staff_numbers=("+972501234567",),
    staff_emails=("owner@hotel.example",),
    staff_webhook="https://h.example/x",
)


@pytest.fixture
def notices(database: Database, clock: FakeClock, tenants: Tenants) -> BudgetNoticeRows:
    tenants.update("1", SETTINGS)
    return BudgetNoticeRows(database, clock, "http://desk")


def outbox(database: Database) -> Sequence[OutboxRow]:
    with database.read() as session:
        return list(session.scalars(select(OutboxRow).order_by(OutboxRow.id)))


def test_staff_hear_of_a_budget_on_whatsapp_by_mail_and_webhook(
    notices: BudgetNoticeRows, database: Database
) -> None:
    lanes = notices.tell(CROSSING)
    whatsapp, mail, webhook = outbox(database)
    assert lanes == [whatsapp.lane, mail.lane, webhook.lane]
    assert (whatsapp.channel, mail.channel) == (Channel.WHATSAPP, Channel.STAFF_EMAIL)
    assert mail.text == (
        "Harbour House has used 80 % of the day's AI budget\n"
        "$4.10 of $5.00 on 21 November. Until midnight a cheaper model answers.\n"
        "To allow more: `frontdesk tenant set 1 daily_budget_usd DOLLARS`\n"
        "http://desk/console"
    )
    event = json.loads(webhook.text)
    assert (event["event"], event["percent"], event["spent_usd"]) == ("budget", 80, 4.1)


def test_staff_hear_of_a_guest_who_costs_much(notices: BudgetNoticeRows, database: Database) -> None:
    notices.tell(replace(CROSSING, level=Level.HUMAN, conversation_id=7, budget_usd=0.05))
    mail = outbox(database)[1]
    assert mail.text.startswith("One guest of Harbour House has used 100 % of the day's AI budget\n")
    assert " of $0.05 on " in mail.text
    assert "guest_daily_budget_usd" in mail.text
    assert mail.text.endswith("http://desk/console/conversations/7")


def test_a_level_is_told_once_a_day_however_many_processes_see_it(
    notices: BudgetNoticeRows, database: Database, clock: FakeClock
) -> None:
    others = [BudgetNoticeRows(database, clock, "http://desk") for _ in range(5)]
    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(lambda one: one.tell(CROSSING), [notices, *others]))
    assert sorted(map(len, told)) == [0, 0, 0, 0, 0, 3]
    assert len(notices.tell(replace(CROSSING, level=Level.EMBEDDED))) == 3
    assert len(notices.tell(replace(CROSSING, day="2026-11-22"))) == 3
    assert len(notices.tell(replace(CROSSING, conversation_id=7))) == 3
    assert notices.tell(replace(CROSSING, spent_micros=4_200_000)) == []


def test_the_fake_tells_as_the_real_notices_do(notices: BudgetNotices) -> None:
    for kept in (notices, FakeBudgetNotices()):
        assert len(kept.tell(CROSSING)) > 0
        assert list(kept.tell(CROSSING)) == []


def test_nobody_is_told_of_a_business_that_does_not_exist(notices: BudgetNoticeRows) -> None:
    with pytest.raises(NotFound):
        notices.tell(replace(CROSSING, tenant_id="99"))

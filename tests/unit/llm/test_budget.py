"""Money sets the way a turn is answered, and staff hear of it once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.spending import Crossing, Level, business_day
from server.domain.tenants import Tenant, TenantSettings
from server.errors import StoreUnavailable
from server.llm.budget import BudgetGuard, tell_staff
from tests.fakes.accounts import FakeBudgetNotices, FakeLedger
from tests.fakes.work_queue import FakeQueue
from tests.support.model_calls import a_call

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DOLLAR = 1_000_000


def a_tenant(business: float = 0.0, guest: float = 0.0, zone: str = "Asia/Jerusalem") -> Tenant:
    settings = TenantSettings(
        name="Harbour House", daily_budget_usd=business, guest_daily_budget_usd=guest, time_zone=zone
    )
    return Tenant("1", settings)


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


def spend(ledger: FakeLedger, dollars: float, conversation_id: int = 7, now: datetime = NOW) -> None:
    ledger.note(
        "1", conversation_id, "turn-1", business_day(a_tenant(), now), a_call(round(dollars * DOLLAR))
    )


@pytest.mark.parametrize(
    ("dollars", "level"),
    [
        (0, Level.NORMAL),
        (7.999999, Level.NORMAL),
        (8, Level.CHEAPER),
        (9.499999, Level.CHEAPER),
        (9.5, Level.EMBEDDED),
        (9.999999, Level.EMBEDDED),
        (10, Level.HUMAN),
        (99, Level.HUMAN),
    ],
)
def test_the_nearer_the_budget_the_cheaper_the_answer(
    ledger: FakeLedger, dollars: float, level: Level
) -> None:
    spend(ledger, dollars)
    assert BudgetGuard(ledger).level(a_tenant(business=10), 7, NOW) is level


def test_without_a_budget_anything_goes(ledger: FakeLedger) -> None:
    spend(ledger, 1_000_000)
    assert BudgetGuard(ledger).level(a_tenant(), 7, NOW) is Level.NORMAL


def test_a_guest_who_costs_much_does_not_spoil_it_for_others(ledger: FakeLedger) -> None:
    spend(ledger, 0.5, conversation_id=7)
    guard, tenant = BudgetGuard(ledger), a_tenant(business=10, guest=0.5)
    assert guard.level(tenant, 7, NOW) is Level.HUMAN
    assert guard.level(tenant, 8, NOW) is Level.NORMAL


def test_the_worse_of_both_budgets_counts(ledger: FakeLedger) -> None:
    spend(ledger, 8.5, conversation_id=8)
    spend(ledger, 0.1, conversation_id=7)
    assert BudgetGuard(ledger).level(a_tenant(business=10, guest=100), 7, NOW) is Level.CHEAPER


def test_a_day_ends_at_the_business_s_midnight(ledger: FakeLedger) -> None:
    late = datetime(2026, 11, 21, 21, 59, tzinfo=UTC)
    spend(ledger, 10, now=late)
    guard = BudgetGuard(ledger)
    assert guard.level(a_tenant(business=10), 7, late) is Level.HUMAN
    assert guard.level(a_tenant(business=10), 7, late + timedelta(minutes=1)) is Level.NORMAL


async def test_calls_under_way_count_until_they_have_ended(ledger: FakeLedger) -> None:
    guard, tenant = BudgetGuard(ledger), a_tenant(business=10)
    async with guard.during_call(tenant, 7, NOW, 8 * DOLLAR) as first:
        assert first is Level.NORMAL
        assert guard.level(tenant, 8, NOW) is Level.CHEAPER
    assert guard.level(tenant, 8, NOW) is Level.NORMAL


async def test_a_call_that_fails_is_under_way_no_more(ledger: FakeLedger) -> None:
    guard, tenant = BudgetGuard(ledger), a_tenant(business=10)
    with pytest.raises(RuntimeError):
        async with guard.during_call(tenant, 7, NOW, 10 * DOLLAR):
            raise RuntimeError
    assert guard.level(tenant, 7, NOW) is Level.NORMAL


async def test_many_calls_at_once_run_past_the_budget_by_one_at_most(ledger: FakeLedger) -> None:
    guard, tenant, cost = BudgetGuard(ledger), a_tenant(business=10), DOLLAR
    levels: list[Level] = []
    all_asked = asyncio.Event()

    async def call(conversation_id: int) -> None:
        async with guard.during_call(tenant, conversation_id, NOW, cost) as level:
            levels.append(level)
            if len(levels) == 40:
                all_asked.set()
            await all_asked.wait()
            if level < Level.EMBEDDED:
                spend(ledger, 1, conversation_id)

    await asyncio.gather(*(call(number) for number in range(1, 41)))
    # What answers without a model costs nothing, so nothing was set aside for it.
    assert [levels.count(level) for level in Level] == [8, 2, 0, 30]
    assert ledger.spent("1", 1, business_day(tenant, NOW)).business_micros == 10 * DOLLAR


async def test_without_a_budget_a_call_asks_no_accounts(ledger: FakeLedger) -> None:
    spend(ledger, 1_000_000)
    async with BudgetGuard(ledger).during_call(a_tenant(), 7, NOW, DOLLAR) as level:
        assert level is Level.NORMAL


def test_staff_are_told_once_of_each_level(ledger: FakeLedger) -> None:
    told: list[Crossing] = []
    guard, tenant = BudgetGuard(ledger, told.append), a_tenant(business=10)
    for dollars in (5, 3.1, 0.1, 1.4, 0.1, 5):
        spend(ledger, dollars)
        for _ in range(3):
            guard.level(tenant, 7, NOW)
    assert [crossing.level for crossing in told] == [Level.CHEAPER, Level.EMBEDDED, Level.HUMAN]
    assert (told[0].spent_micros, told[0].budget_usd, told[0].conversation_id) == (8_100_000, 10, None)


def test_of_levels_that_are_passed_at_once_the_highest_is_told(ledger: FakeLedger) -> None:
    told: list[Crossing] = []
    spend(ledger, 11)
    BudgetGuard(ledger, told.append).level(a_tenant(business=10), 7, NOW)
    assert [crossing.level for crossing in told] == [Level.HUMAN]


def test_the_next_day_is_told_anew_and_each_guest_apart(ledger: FakeLedger) -> None:
    told: list[Crossing] = []
    guard, tenant = BudgetGuard(ledger, told.append), a_tenant(guest=1)
    for conversation_id, now in ((7, NOW), (8, NOW), (7, NOW + timedelta(days=1))):
        spend(ledger, 0.8, conversation_id, now)
        guard.level(tenant, conversation_id, now)
    assert [(crossing.conversation_id, crossing.day) for crossing in told] == [
        (7, "2026-11-21"),
        (8, "2026-11-21"),
        (7, "2026-11-22"),
    ]


async def test_what_is_only_under_way_is_not_told(ledger: FakeLedger) -> None:
    told: list[Crossing] = []
    guard, tenant = BudgetGuard(ledger, told.append), a_tenant(business=10)
    async with guard.during_call(tenant, 7, NOW, 9 * DOLLAR):
        guard.level(tenant, 7, NOW)
    assert told == []


def test_staff_who_could_not_be_told_are_told_by_the_next_turn(ledger: FakeLedger) -> None:
    notices, lanes = FakeBudgetNotices(), FakeQueue()
    notices.outages = [StoreUnavailable("away")]
    guard, tenant = BudgetGuard(ledger, tell_staff(notices, lanes)), a_tenant(business=10)
    spend(ledger, 9)
    assert guard.level(tenant, 7, NOW) is Level.CHEAPER
    assert notices.told == []
    guard.level(tenant, 7, NOW)
    guard.level(tenant, 7, NOW)
    assert len(notices.told) == 1


def test_a_budget_that_is_raised_counts_at_once(ledger: FakeLedger) -> None:
    spend(ledger, 10)
    guard, tenant = BudgetGuard(ledger), a_tenant(business=10)
    assert guard.level(tenant, 7, NOW) is Level.HUMAN
    raised = replace(tenant, settings=replace(tenant.settings, daily_budget_usd=20))
    assert guard.level(raised, 7, NOW) is Level.NORMAL

"""Calls are taken down at once, saved a moment later, and counted exactly once all the while."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from server.domain.spending import AccountEntry, Spent
from server.errors import StoreUnavailable
from server.llm import ledger as module
from server.llm.ledger import STALE_S, Ledger
from simulators.lab import wait_until
from tests.fakes.accounts import FakeAccounts
from tests.fakes.clock import FakeClock
from tests.support.model_calls import a_call, an_entry

DAY = "2026-11-21"


class Accounts(FakeAccounts):
    """Saves only while ``gate`` is open."""

    def __init__(self) -> None:
        super().__init__("1", "2")
        self.gate = threading.Event()
        self.gate.set()
        self.is_saving = threading.Event()
        self.saves = 0

    def save(self, entries: Sequence[AccountEntry]) -> None:
        self.is_saving.set()
        assert self.gate.wait(10)
        super().save(entries)
        self.saves += 1


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def ledger(accounts: Accounts, clock: FakeClock) -> Iterator[Ledger]:
    made = Ledger(accounts, clock.monotonic)
    yield made
    accounts.gate.set()
    made.close()


def note(ledger: Ledger, cost_micros: int, conversation_id: int = 7, tenant_id: str = "1") -> None:
    ledger.note(tenant_id, conversation_id, "turn-1", DAY, a_call(cost_micros))


def test_what_was_noted_is_spent_before_it_is_saved(ledger: Ledger, accounts: Accounts) -> None:
    accounts.gate.clear()
    note(ledger, 100)
    note(ledger, 20, conversation_id=8)
    assert accounts.entries == []
    assert ledger._known(("1", DAY, 0), ("1", DAY, 7)) is None
    accounts.gate.set()
    assert ledger.spent("1", 7, DAY) == Spent(120, 100)


def test_saving_changes_nothing_of_what_was_spent(ledger: Ledger, accounts: Accounts) -> None:
    accounts.save([an_entry(7, 1000)])
    assert ledger.spent("1", 7, DAY) == Spent(1000, 1000)
    note(ledger, 100)
    assert ledger.spent("1", 7, DAY) == Spent(1100, 1100)
    ledger.close()
    assert len(accounts.entries) == 2
    assert ledger.spent("1", 7, DAY) == Spent(1100, 1100)
    assert accounts.reads == 1


def test_calls_of_a_moment_are_saved_together(ledger: Ledger, accounts: Accounts) -> None:
    for _ in range(50):
        note(ledger, 1)
    ledger.close()
    assert (len(accounts.entries), accounts.saves) == (50, 1)


def test_noting_waits_for_nobody(ledger: Ledger, accounts: Accounts) -> None:
    accounts.gate.clear()
    note(ledger, 1)
    assert accounts.is_saving.wait(10)
    # The store is at work, and would be for ever.
    for _ in range(100):
        note(ledger, 1)
    accounts.gate.set()
    ledger.close()
    assert len(accounts.entries) == 101


def test_what_others_spend_is_seen_after_some_seconds(
    ledger: Ledger, accounts: Accounts, clock: FakeClock
) -> None:
    assert ledger.spent("1", 7, DAY) == Spent(0, 0)
    accounts.save([an_entry(7, 500)])
    assert ledger.spent("1", 7, DAY) == Spent(0, 0)
    assert accounts.reads == 1
    clock.advance(STALE_S + 0.1)
    assert ledger.spent("1", 7, DAY) == Spent(500, 500)


def test_own_calls_do_not_put_off_the_look_at_others(
    ledger: Ledger, accounts: Accounts, clock: FakeClock
) -> None:
    ledger.spent("1", 7, DAY)
    accounts.save([an_entry(7, 500)])
    for number in range(1, 5):
        clock.advance(STALE_S / 4 + 0.01)
        note(ledger, 1)
        wait_until(lambda: len(accounts.entries) == number + 1, 5, "the call to be saved")  # noqa: B023
    assert ledger.spent("1", 7, DAY) == Spent(504, 504)


def test_after_an_outage_everything_is_saved(
    ledger: Ledger, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    accounts.outages = [StoreUnavailable("away"), StoreUnavailable("away")]
    note(ledger, 100)
    wait_until(lambda: bool(accounts.entries), 5, "the call to be saved")
    assert ledger.spent("1", 7, DAY) == Spent(100, 100)


def test_a_call_that_cannot_be_saved_does_not_stop_the_others(ledger: Ledger, accounts: Accounts) -> None:
    note(ledger, 1)
    note(ledger, 10, tenant_id="gone")
    note(ledger, 100)
    ledger.close()
    assert [entry.call.cost_micros for entry in accounts.entries] == [1, 100]
    assert ledger.spent("gone", 7, DAY) == Spent(0, 0)


def test_memory_has_a_bound(ledger: Ledger, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    accounts.gate.clear()
    for _ in range(20):
        note(ledger, 1)
    accounts.gate.set()
    ledger.close()
    assert len(accounts.entries) <= 6


def test_a_ledger_that_noted_nothing_closes(ledger: Ledger) -> None:
    ledger.close()

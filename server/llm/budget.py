"""What a model may still cost a business today, and its guest."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from cachetools import LRUCache

from server.domain.spending import MICROS, Crossing, Level, business_day
from server.domain.tenants import Tenant
from server.errors import AppError
from server.ports.accounts import BudgetNotices, ModelLedger
from server.ports.queue import WorkQueue

__all__ = ["BudgetGuard", "Level", "nobody_told", "tell_staff"]

_REMEMBERED = 10_000

log = structlog.get_logger(__name__)


def nobody_told(_crossing: Crossing) -> None:
    """Where no staff are told."""


def tell_staff(notices: BudgetNotices, lanes: WorkQueue) -> Callable[[Crossing], None]:
    """What `BudgetGuard` tells of a budget that has reached a level: staff hear of it."""

    def tell(crossing: Crossing) -> None:
        for lane in notices.tell(crossing):
            lanes.put(lane)

    return tell


class BudgetGuard:
    """Compares what was spent with the tenant's budgets; the one that is more used up counts. For any thread.

    Calls under way count with what they are expected to cost, so that many at once run past a budget by one
    call at most; calls of other processes are seen some seconds after they have ended.

    Args:
        tell: hears of each level that a budget has reached, of the highest alone if there are several, in the
            thread that asked; at least once a day and level.
    """

    def __init__(self, ledger: ModelLedger, tell: Callable[[Crossing], None] = nobody_told) -> None:
        self._ledger = ledger
        self._tell = tell
        self._guard = threading.Lock()
        # What calls under way may cost.
        self._reserved: Counter[_Scope] = Counter()
        # What was told; if that is forgotten it is told again, and the other side knows it.
        self._told: LRUCache[_Scope, Level] = LRUCache(_REMEMBERED)

    def level(self, tenant: Tenant, conversation_id: int, now: datetime) -> Level:
        """How a turn may be answered. May read the database, and block.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        budgets = self._budgets(tenant, conversation_id, business_day(tenant, now))
        self._tell_crossings(budgets)
        with self._guard:
            return self._level(budgets)

    @asynccontextmanager
    async def during_call(
        self, tenant: Tenant, conversation_id: int, now: datetime, cost_micros: int
    ) -> AsyncIterator[Level]:
        """As `level`; while the block runs a call is under way that may cost so much.

        Leave the block once the ledger has been told of the call. At a level at which no model is asked
        nothing is set aside. Does not block the event loop, and nothing stays set aside if the caller is
        cancelled while the database is asked.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        budgets: Sequence[_Budget] = ()
        if _has_budget(tenant):
            day = business_day(tenant, now)
            budgets = await asyncio.to_thread(self._budgets, tenant, conversation_id, day)
            await asyncio.to_thread(self._tell_crossings, budgets)
        with self._set_aside(budgets, cost_micros) as level:
            yield level

    @contextmanager
    def _set_aside(self, budgets: Sequence[_Budget], cost_micros: int) -> Iterator[Level]:
        with self._guard:
            level = self._level(budgets)
            aside = {budget.scope: cost_micros for budget in budgets} if level < Level.EMBEDDED else {}
            self._reserved.update(aside)
        try:
            yield level
        finally:
            with self._guard:
                self._reserved.subtract(aside)
                # Sums of nothing are dropped: there is one for every guest and day.
                self._reserved = +self._reserved

    def _level(self, budgets: Sequence[_Budget]) -> Level:
        levels = [budget.level(self._reserved[budget.scope]) for budget in budgets]
        return max(levels, default=Level.NORMAL)

    def _budgets(self, tenant: Tenant, conversation_id: int, day: str) -> Sequence[_Budget]:
        """Those that the tenant has set, with what was spent of them."""
        if not _has_budget(tenant):
            return []
        usd, guest_usd = tenant.settings.daily_budget_usd, tenant.settings.guest_daily_budget_usd
        spent = self._ledger.spent(tenant.id, conversation_id, day)
        both = [
            _Budget(_Scope(tenant.id, day, None), usd, spent.business_micros),
            _Budget(_Scope(tenant.id, day, conversation_id), guest_usd, spent.guest_micros),
        ]
        return [budget for budget in both if budget.usd]

    def _tell_crossings(self, budgets: Sequence[_Budget]) -> None:
        for budget in budgets:
            level = budget.level(0)
            with self._guard:
                is_news = level > self._told.get(budget.scope, Level.NORMAL)
            if is_news:
                self._tell_crossing(budget, level)

    def _tell_crossing(self, budget: _Budget, level: Level) -> None:
        try:
            self._tell(budget.crossing(level))
        except AppError as error:
            # The guest is answered all the same, and the next turn tells.
            log.warning("budget.not_told", tenant=budget.scope.tenant_id, error=type(error).__name__)
            return
        with self._guard:
            self._told[budget.scope] = level


def _has_budget(tenant: Tenant) -> bool:
    return bool(tenant.settings.daily_budget_usd or tenant.settings.guest_daily_budget_usd)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whose budget: a business's, or with a conversation its guest's."""

    tenant_id: str
    day: str
    conversation_id: int | None


@dataclass(frozen=True, slots=True)
class _Budget:
    """One budget of a day, in US dollars, and what was spent of it."""

    scope: _Scope
    usd: float
    spent_micros: int

    def level(self, reserved_micros: int) -> Level:
        """What is left allows; calls under way count as *reserved_micros*."""
        percent = 100 * (self.spent_micros + reserved_micros) / (self.usd * MICROS)
        return max(level for level in Level if percent >= level)

    def crossing(self, level: Level) -> Crossing:
        """That the budget has reached *level*."""
        return Crossing(
            tenant_id=self.scope.tenant_id,
            day=self.scope.day,
            level=level,
            spent_micros=self.spent_micros,
            budget_usd=self.usd,
            conversation_id=self.scope.conversation_id,
        )

"""Accounts in memory."""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.model_calls import ModelCall
from server.domain.spending import AccountEntry, Crossing, Spent
from server.errors import NotFound


class FakeAccounts:
    """Keeps the ``AccountStore`` port; ``outages`` fail the next calls, in order."""

    def __init__(self, *tenants: str) -> None:
        self.tenants = tenants
        self.entries: list[AccountEntry] = []
        self.reads = 0
        self.outages: list[Exception] = []

    def save(self, entries: Sequence[AccountEntry]) -> None:
        """Keep *entries*, all or none."""
        self._fail()
        if any(entry.tenant_id not in self.tenants for entry in entries):
            raise NotFound("one of the tenants does not exist")
        self.entries.extend(entries)

    def spent(self, tenant_id: str, conversation_id: int, day: str) -> Spent:
        """What kept entries have cost."""
        self.reads += 1
        self._fail()
        own = [entry for entry in self.entries if (entry.tenant_id, entry.day) == (tenant_id, day)]
        guest = [entry for entry in own if entry.conversation_id == conversation_id]
        return Spent(*(sum(entry.call.cost_micros for entry in some) for some in (own, guest)))

    def _fail(self) -> None:
        if self.outages:
            raise self.outages.pop(0)


class FakeLedger:
    """Keeps the ``ModelLedger`` port: what is noted is known at once."""

    def __init__(self) -> None:
        self.entries: list[AccountEntry] = []

    def note(self, tenant_id: str, conversation_id: int, turn_id: str, day: str, call: ModelCall) -> None:
        """Take *call* down."""
        self.entries.append(AccountEntry(tenant_id, conversation_id, turn_id, day, call))

    def spent(self, tenant_id: str, conversation_id: int, day: str) -> Spent:
        """What noted calls have cost."""
        accounts = FakeAccounts()
        accounts.entries = self.entries
        return accounts.spent(tenant_id, conversation_id, day)


class FakeBudgetNotices:
    """Keeps the ``BudgetNotices`` port; ``outages`` fail the next calls, in order."""

    def __init__(self) -> None:
        self.told: list[Crossing] = []
        self.outages: list[Exception] = []

    def tell(self, crossing: Crossing) -> Sequence[str]:
        """Tell it once."""
        if self.outages:
            raise self.outages.pop(0)
        known = {(told.tenant_id, told.conversation_id, told.day, told.level) for told in self.told}
        if (crossing.tenant_id, crossing.conversation_id, crossing.day, crossing.level) in known:
            return []
        self.told.append(crossing)
        return [f"staff:{crossing.tenant_id}"]

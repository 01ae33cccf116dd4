"""Calls to models and what they have cost, one row a call and one sum a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from server.domain.spending import AccountEntry, Spent
from server.errors import NotFound
from server.store.models import ModelCallRow, SpendRow, table_of
from server.store.session import Database

# The sum of a whole business stands under this one; ids of conversations begin at 1.
_BUSINESS = 0
_CALLS = table_of(ModelCallRow)
_SPEND = table_of(SpendRow)


class Accounts:
    """The ``AccountStore`` port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        added = database.insert(_SPEND)
        self._add = added.on_conflict_do_update(
            index_elements=[_SPEND.c.tenant_id, _SPEND.c.day, _SPEND.c.conversation_id],
            set_={"cost_micros": _SPEND.c.cost_micros + added.excluded.cost_micros},
        )

    def save(self, entries: Sequence[AccountEntry]) -> None:
        """Keep all *entries* and add up what they cost."""
        if not entries:
            return
        sums = _sums(entries)
        try:
            with self._database.write() as session:
                connection = session.connection()
                connection.execute(_CALLS.insert(), [_call_row(entry) for entry in entries])
                if sums:
                    connection.execute(self._add, sums)
        except IntegrityError as error:
            raise NotFound("one of the tenants of these calls does not exist") from error

    def spent(self, tenant_id: str, conversation_id: int, day: str) -> Spent:
        """What saved entries of *day* have cost."""
        wanted = (
            _SPEND.c.tenant_id == tenant_id,
            _SPEND.c.day == day,
            _SPEND.c.conversation_id.in_((_BUSINESS, conversation_id)),
        )
        with self._database.read() as session:
            rows = session.execute(select(_SPEND.c.conversation_id, _SPEND.c.cost_micros).where(*wanted))
            sums = {row.conversation_id: row.cost_micros for row in rows}
        return Spent(sums.get(_BUSINESS, 0), sums.get(conversation_id, 0))


def _call_row(entry: AccountEntry) -> dict[str, object]:
    call = entry.call
    return {
        "tenant_id": entry.tenant_id,
        "turn_id": entry.turn_id,
        "provider": call.provider,
        "model": call.model,
        "outcome": call.outcome.value,
        "started_at": call.started_at,
        "first_token_ms": call.first_token_ms,
        "total_ms": call.total_ms,
        "waited_ms": call.waited_ms,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "cost_micros": call.cost_micros,
    }


def _sums(entries: Sequence[AccountEntry]) -> list[dict[str, object]]:
    """What is to be added to which row."""
    sums: Counter[tuple[str, str, int]] = Counter()
    for entry in entries:
        # What belongs to no conversation is the business's alone.
        for scope in {_BUSINESS, entry.conversation_id} if entry.call.cost_micros else ():
            sums[entry.tenant_id, entry.day, scope] += entry.call.cost_micros
    # In one order everywhere: two processes that lock the same rows must not wait for each other.
    return [
        {"tenant_id": tenant_id, "day": day, "conversation_id": conversation_id, "cost_micros": micros}
        for (tenant_id, day, conversation_id), micros in sorted(sums.items())
    ]

"""What staff are told of money: a budget has reached a level, once for each budget, day and level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from server.domain.messages import OutboundKind
from server.domain.phrases import Phrase
from server.domain.spending import MICROS, Crossing, Level, dollars
from server.domain.tenants import Tenant
from server.ports.clock import Clock
from server.store.notices import Notice, add_notice, conversation_link
from server.store.session import Database
from server.store.tenants import get_tenant_row, to_tenant
from server.translations import Written

_UNTIL_MIDNIGHT: Mapping[Level, Phrase] = {
    Level.CHEAPER: Phrase("a cheaper model answers"),
    Level.EMBEDDED: Phrase("no model is asked: answers are quoted from your documents"),
    Level.HUMAN: Phrase("what would need a model goes to your team"),
}


class BudgetNoticeRows:
    """The ``BudgetNotices`` port.

    Args:
        console_url: where staff find the console; part of what they are told.
    """

    def __init__(self, database: Database, clock: Clock, console_url: str) -> None:
        self._database = database
        self._clock = clock
        self._console_url = console_url

    def tell(self, crossing: Crossing) -> Sequence[str]:
        """Tell everybody whom the tenant wants told, unless they know."""
        with self._database.write() as session:
            tenant = to_tenant(get_tenant_row(session, crossing.tenant_id))
            notice = Notice(
                # All processes name it alike, so that the outbox has it once.
                f"budget:{tenant.id}:{crossing.conversation_id or ''}:{crossing.day}:{crossing.level.name}",
                OutboundKind.NOTICE,
                self._lines(tenant, crossing),
                self._event(crossing),
                is_on_whatsapp=True,
            )
            return add_notice(self._database, session, tenant, notice, self._clock.now())

    def _lines(self, tenant: Tenant, crossing: Crossing) -> Sequence[str]:
        name, percent = tenant.settings.name, int(crossing.level)
        then = _UNTIL_MIDNIGHT[crossing.level]
        if crossing.conversation_id is None:
            headline = Phrase(
                "{business} has used {percent} % of the day's AI budget", business=name, percent=percent
            )
            until = Phrase("Until midnight {then}.", then=then)
            setting = "daily_budget_usd"
        else:
            headline = Phrase(
                "One guest of {business} has used {percent} % of the day's AI budget",
                business=name,
                percent=percent,
            )
            until = Phrase("Until midnight, for this guest, {then}.", then=then)
            setting = "guest_daily_budget_usd"
        used = Phrase(
            "{spent} of {budget} on {day}. {until}",
            spent=dollars(crossing.spent_micros / MICROS),
            budget=dollars(crossing.budget_usd),
            day=Written("dd MMMM", date.fromisoformat(crossing.day)),
            until=until,
        )
        command = f"`frontdesk tenant set {tenant.id} {setting} DOLLARS`"
        return [headline, used, Phrase("To allow more: {command}", command=command), self._link(crossing)]

    def _event(self, crossing: Crossing) -> Mapping[str, object]:
        return {
            "event": "budget",
            "tenant": crossing.tenant_id,
            "conversation": crossing.conversation_id,
            "day": crossing.day,
            "percent": int(crossing.level),
            "spent_usd": crossing.spent_micros / MICROS,
            "budget_usd": crossing.budget_usd,
            "url": self._link(crossing),
        }

    def _link(self, crossing: Crossing) -> str:
        if crossing.conversation_id is None:
            return f"{self._console_url}/console"
        return conversation_link(self._console_url, crossing.conversation_id)

"""How a page of the console is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flask import render_template

from server.console.auth import current_member
from server.console.display import Times
from server.console.live import WaitingPart, waiting_url
from server.ports.clock import Clock
from server.store.needs import Need
from server.store.tenants import Tenants


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders templates for whoever is logged in: each knows ``user``, ``business``, ``times``, with
    ``counts`` how much waits at a place of the navigation, by its endpoint, and with ``waiting`` which guests
    wait for a person.
    """

    tenants: Tenants
    clock: Clock
    # For a tenant.
    needs: Callable[[str], Sequence[Need]]
    counters: Mapping[str, Callable[[str], int]] = field(default_factory=dict)
    stream_port: int | None = None

    def render(self, template: str, **values: object) -> str:
        """The page."""
        user = current_member()
        business = self.tenants.get(user.tenant_id).settings
        times = Times(business.zone, self.clock.now())
        counts = {endpoint: count(user.tenant_id) for endpoint, count in self.counters.items()}
        waiting = WaitingPart(self.needs(user.tenant_id), waiting_url(self.stream_port, user.id))
        return render_template(
            template,
            user=user,
            business=business,
            times=times,
            counts=counts,
            waiting=waiting,
            **values,
        )

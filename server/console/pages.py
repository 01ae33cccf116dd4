"""How a page of the console is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import render_template

from server.console.auth import current_member
from server.console.display import Times
from server.ports.clock import Clock
from server.store.tenants import Tenants


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders templates for whoever is logged in: each knows ``user``, ``business``, ``times``, and with
    ``counts`` how much waits at a place of the navigation, by its endpoint.
    """

    tenants: Tenants
    clock: Clock
    # For a tenant.
    counters: Mapping[str, Callable[[str], int]] = field(default_factory=dict)

    def render(self, template: str, **values: object) -> str:
        """The page."""
        user = current_member()
        business = self.tenants.get(user.tenant_id).settings
        times = Times(business.zone, self.clock.now())
        counts = {endpoint: count(user.tenant_id) for endpoint, count in self.counters.items()}
        return render_template(template, user=user, business=business, times=times, counts=counts, **values)

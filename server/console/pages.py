"""How a page of the console is made."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template

from server.console.auth import current_member
from server.console.display import Times
from server.ports.clock import Clock
from server.store.tenants import Tenants


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders templates for whoever is logged in: each knows ``user``, ``business`` and ``times``."""

    tenants: Tenants
    clock: Clock

    def render(self, template: str, **values: object) -> str:
        """The page."""
        user = current_member()
        business = self.tenants.get(user.tenant_id).settings
        times = Times(business.zone, self.clock.now())
        return render_template(template, user=user, business=business, times=times, **values)

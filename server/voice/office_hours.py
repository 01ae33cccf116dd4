"""When a business's own telephone rings before the desk answers."""

from __future__ import annotations

from datetime import datetime

from server.domain.tenants import TenantSettings
from server.knowledge.office_hours import office_hours


def rings_first(settings: TenantSettings, now: datetime) -> bool:
    """Whether a call that comes in *now* (aware) rings there first: in the office hours, if there are any."""
    if not (settings.rings_first and settings.transfer_number):
        return False
    hours = office_hours(settings)
    return hours is None or hours.are_on(now)

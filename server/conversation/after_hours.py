"""What a guest is told of the team outside of the office hours: when it is back, not just that it will be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from server.conversation import phrases
from server.domain.conversations import Mode, Reply, Turn
from server.domain.tenants import TenantSettings
from server.knowledge.office_hours import office_hours

# Who asks for other guests, or threatens, had better not know when nobody is there.
_NOT_TOLD = frozenset({"police_asking", "privacy_guest", "privacy_room", "threat"})


def with_return(reply: Reply, turn: Turn, now: datetime) -> Reply:
    """*reply*, and when the team is back, where it hands over to people who are not there *now*.

    Nothing is added where people answer the conversation anyway, nor for somebody who may be in danger.
    """
    if not reply.handover or reply.urgent or reply.reason in _NOT_TOLD or turn.mode is not Mode.AI:
        return reply
    told = when_back(turn.tenant.settings, reply.language, now)
    return replace(reply, text=f"{reply.text} {told}") if told else reply


def when_back(settings: TenantSettings, language: str, now: datetime) -> str:
    """When the team is back; empty in the office hours, and where there are none, or none to be sure of."""
    hours = office_hours(settings)
    back = None if hours is None else hours.opens_next(now)
    if back is None:
        return ""
    zone = settings.zone
    return phrases.team_is_back(language, now.astimezone(zone).date(), back.astimezone(zone))

"""The page on which staff try what a guest would be answered."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import structlog
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_member
from server.console.forms import written
from server.console.pages import Pages
from server.console.translations import gettext
from server.conversation.rehearsal import Rehearsal, Rehearsals
from server.domain.messages import Channel
from server.domain.staff import Permission
from server.domain.tenants import Tenant
from server.errors import StoreUnavailable, TooBusy

LONGEST_QUESTION = 2_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a question; ``rehearsal`` is None where there was no answer in time."""

    question: str
    rehearsal: Rehearsal | None


def add_trials(blueprint: Blueprint, pages: Pages, rehearsals: Rehearsals) -> None:
    """Add the form and what it finds."""

    @blueprint.get("/try")
    @needs(Permission.ANSWER)
    def try_question() -> str:
        text = request.args.get("q", "").replace("\0", "")[:LONGEST_QUESTION]
        return pages.render("try_question.html", text=text, channel=Channel.WHATSAPP, trial=None, fault="")

    @blueprint.post("/try")
    @needs(Permission.ANSWER)
    def tried_question() -> ResponseReturnValue:
        text, channel = written("question"), _channel(request.form.get("channel", ""))
        if not 0 < len(text) <= LONGEST_QUESTION:
            fault = gettext("write 1 to {most} characters").format(most=f"{LONGEST_QUESTION:,}")
            page = pages.render("try_question.html", text=text, channel=channel, trial=None, fault=fault)
            return page, HTTPStatus.UNPROCESSABLE_ENTITY
        trial = tried(rehearsals, pages.tenants.get(current_member().tenant_id), text, channel)
        return pages.render("try_question.html", text=text, channel=channel, trial=trial, fault="")


def tried(rehearsals: Rehearsals, tenant: Tenant, question: str, channel: Channel) -> Trial:
    """Ask *question* as a guest would; a desk that does not answer in time spoils no page."""
    try:
        return Trial(question, rehearsals.try_question(tenant, channel, question))
    except (TooBusy, StoreUnavailable) as error:
        log.warning("try.not_answered", tenant=tenant.id, error=type(error).__name__)
        return Trial(question, None)


def _channel(value: str) -> Channel:
    guests = (Channel.WHATSAPP, Channel.CHAT, Channel.VOICE)
    return next((channel for channel in guests if channel == value), Channel.WHATSAPP)

"""The numbers of the business: its WhatsApp line, how to link it, and its phone line."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import segno
import structlog
from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.pages import Pages
from server.console.translations import gettext
from server.domain.ban_risk import RiskLevel, RiskSign, SendingFacts, ban_risk
from server.domain.numbers import NumberState, NumberView, PhoneSetup, read_number
from server.domain.staff import Permission
from server.domain.tenants import TenantSettings
from server.errors import NotFound, ProviderError, ProviderRejected
from server.ports.messaging import NumberKeeper
from server.store.numbers import NumberNotes
from server.store.sending import SendingQueries

# How often a page that waits for the phone looks again. WhatsApp's codes live 20 seconds and longer.
LOOK_EVERY_S = 4

_PHONE = re.compile(r"\+?[1-9]\d{6,14}")

_log = structlog.get_logger(__name__)


def _(text: str) -> str:
    """Marks *text* for translation, which happens when the page is made."""
    return text


_NO_ANSWER = _(
    "The process that holds the link to WhatsApp does not answer. Whoever runs the server sees with "
    "“frontdesk doctor” what is missing. Try again in a moment."
)
_REFUSED = _(
    "The process that holds the link to WhatsApp refuses this. If it stays so, log the number out and link "
    "it again."
)
_NO_PHONE = _("This is no phone number with country code; one is +972501234567.")

_STATES: Mapping[NumberState, str] = {
    NumberState.DISCONNECTED: _("Not connected."),
    NumberState.CONNECTING: _("Connecting to WhatsApp."),
    NumberState.QR: _("Waiting for the code to be scanned on the business's phone."),
    NumberState.PAIRING: _("Waiting for the pairing code to be entered on the business's phone."),
    NumberState.OPEN: _("Connected, but WhatsApp has not answered the last question on the line."),
    NumberState.DEAF: _("Deaf: WhatsApp does not answer on the line, so guests are not heard."),
    NumberState.LOGGED_OUT: _("Logged out: the link was removed on the phone."),
    NumberState.BLOCKED: _("Blocked: WhatsApp refuses the number."),
    NumberState.UNKNOWN: _("In a state that this page does not know."),
}
_PROVED = _("Connected: WhatsApp answers, so guests are heard and answered.")
_UNLINKED = _("No number is linked. Guests cannot write to the desk on WhatsApp.")

_TO_DO: Mapping[NumberState, str] = {
    NumberState.DEAF: _(
        "It is being connected anew by itself. If that lasts, look at WhatsApp on its phone."
    ),
    NumberState.LOGGED_OUT: _("Link the number again."),
    NumberState.BLOCKED: _("Look at WhatsApp on its phone; then link the number again."),
}

_RISKS: Mapping[RiskLevel, str] = {
    RiskLevel.LOW: _("Low"),
    RiskLevel.RAISED: _("Raised: look at what is being sent"),
    RiskLevel.HIGH: _("High: write only to guests who have written first, and less"),
}
_SIGNS: Mapping[RiskSign, str] = {
    RiskSign.TIME_LOCK: _("Refused by WhatsApp for too many first contacts (code 463): {time_locks}"),
    RiskSign.STRANGERS: _("To people who have never written: {strangers} of {sent} messages"),
    RiskSign.UNDELIVERED: _("On no phone after ten minutes: {undelivered} messages"),
    RiskSign.REFUSED: _("Refused by WhatsApp for other reasons: {refused}"),
    RiskSign.HASTE: _("Sent in the last hour: {last_hour} messages"),
}

# What is missing for calls, and who mends it.
_NO_NUMBER = _("The business has no phone number yet: enter it in the settings.")
_NO_TOKEN = _("TWILIO_AUTH_TOKEN is not set on the server: no call is taken. Whoever runs it sets it.")
_NO_URL = _(
    "PUBLIC_BASE_URL is not set on the server: Twilio does not know where to reach it, and no call is taken."
)
_NO_SPEECH = _("The server has no key for speech: calls go on by Twilio's own means, sentence by sentence.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberParts:
    """What the pages ask, and what they have done by others."""

    keeper: NumberKeeper
    sending: SendingQueries
    notes: NumberNotes
    phone: PhoneSetup


def add_numbers(blueprint: Blueprint, pages: Pages, parts: NumberParts) -> None:
    """Add the page, and those that link the WhatsApp number and log it out."""
    _add_linking(blueprint, pages, parts)
    _add_log_out(blueprint, pages, parts)

    @blueprint.get("/numbers")
    @needs(Permission.READ)
    def show_numbers() -> str:
        return _overview(pages, parts)


def _add_linking(blueprint: Blueprint, pages: Pages, parts: NumberParts) -> None:
    keeper = parts.keeper

    @blueprint.get("/numbers/link")
    @needs(Permission.MANAGE)
    def show_link() -> str:
        return _link_page(pages, keeper)

    @blueprint.post("/numbers/link")
    @needs(Permission.MANAGE)
    def link() -> ResponseReturnValue:
        tenant_id, told = current_member().tenant_id, request.form.get("phone", "").strip()
        phone = re.sub(r"[\s()-]", "", told) or None
        if phone is not None and not _PHONE.fullmatch(phone):
            page = _overview(pages, parts, phone=told, fault=gettext(_NO_PHONE))
            return page, HTTPStatus.UNPROCESSABLE_ENTITY
        parts.notes.note(tenant_id, current_actor(), "number.linking")
        try:
            keeper.connect(tenant_id, phone)
        except ProviderError as error:
            return _overview(pages, parts, phone=told, trouble=_trouble(error)), HTTPStatus.BAD_GATEWAY
        return redirect(url_for("console.show_link"), HTTPStatus.SEE_OTHER)

    @blueprint.get("/numbers/qr.svg")
    @needs(Permission.MANAGE)
    def show_qr() -> Response:
        try:
            number = read_number(keeper.state(current_member().tenant_id), {})
        except ProviderError as error:
            raise NotFound("there is no code to scan") from error
        if not number.qr:
            raise NotFound("there is no code to scan")
        return Response(_svg(number.qr), mimetype="image/svg+xml")


def _add_log_out(blueprint: Blueprint, pages: Pages, parts: NumberParts) -> None:
    @blueprint.get("/numbers/log-out")
    @needs(Permission.MANAGE)
    def confirm_log_out() -> str:
        return pages.render("numbers_log_out.html", trouble="")

    @blueprint.post("/numbers/log-out")
    @needs(Permission.MANAGE)
    def log_out() -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        parts.notes.note(tenant_id, current_actor(), "number.logged_out")
        try:
            parts.keeper.log_out(tenant_id)
        except ProviderError as error:
            return pages.render("numbers_log_out.html", trouble=_trouble(error)), HTTPStatus.BAD_GATEWAY
        return redirect(url_for("console.show_numbers"), HTTPStatus.SEE_OTHER)


def _overview(
    pages: Pages, parts: NumberParts, *, phone: str = "", fault: str = "", trouble: str = ""
) -> str:
    """The page of all numbers.

    Args:
        phone: what was typed to link by, and *fault* what is wrong with it.
        trouble: why what was asked was not done.
    """
    tenant_id, now = current_member().tenant_id, pages.clock.now()
    settings = pages.tenants.get(tenant_id).settings
    number = None
    try:
        number = _look(parts.keeper, tenant_id)
    except ProviderError as error:
        trouble = trouble or _trouble(error)
    facts = parts.sending.whatsapp(tenant_id, now)
    risk = ban_risk(facts)
    return pages.render(
        "numbers.html",
        number=number,
        state_words=state_words,
        to_do=_to_do,
        trouble=trouble,
        typed=phone,
        fault=fault,
        facts=facts,
        risk=gettext(_RISKS[risk.level]),
        risk_level=risk.level,
        signs=[_sign_words(sign, facts) for sign in risk.signs],
        calls=parts.sending.calls(tenant_id, _midnight(now, settings)),
        phone=parts.phone,
        missing=[gettext(words) for words in _missing(parts.phone, settings)],
    )


def _look(keeper: NumberKeeper, tenant_id: str) -> NumberView:
    """Asks for the health first, which answers within a second or not at all.

    Raises:
        ProviderError: it cannot be told.
    """
    lines = [line for line in keeper.lines() if line.get("tenantId") == tenant_id]
    return read_number(keeper.state(tenant_id), lines[0] if lines else {})


def _link_page(pages: Pages, keeper: NumberKeeper) -> str:
    number, trouble = None, ""
    try:
        number = read_number(keeper.state(current_member().tenant_id), {})
    except ProviderError as error:
        trouble = _trouble(error)
    return pages.render(
        "numbers_link.html",
        number=number,
        state_words=state_words,
        to_do=_to_do,
        trouble=trouble,
        # Another code has another address: what was shown before is not taken for it.
        qr_mark="" if number is None else hashlib.sha256(number.qr.encode()).hexdigest()[:12],
        look_every_s=LOOK_EVERY_S if number is None or number.state.is_linking else 0,
    )


def state_words(number: NumberView) -> str:
    """How the number is, in the reader's language."""
    if number.is_proved:
        return gettext(_PROVED)
    if number.state is NumberState.DISCONNECTED and not number.is_linked:
        return gettext(_UNLINKED)
    return gettext(_STATES[number.state])


def _to_do(number: NumberView) -> str:
    words = _TO_DO.get(number.state)
    return "" if words is None else gettext(words)


def _sign_words(sign: RiskSign, facts: SendingFacts) -> str:
    return gettext(_SIGNS[sign]).format(
        time_locks=facts.time_locks,
        strangers=facts.strangers,
        sent=facts.sent,
        undelivered=facts.undelivered,
        refused=facts.refused,
        last_hour=facts.last_hour,
    )


def _missing(phone: PhoneSetup, settings: TenantSettings) -> list[str]:
    """What calls lack."""
    lacks = {
        _NO_NUMBER: not settings.phone_numbers,
        _NO_TOKEN: not phone.has_token,
        _NO_URL: not phone.base_url,
        _NO_SPEECH: not phone.has_speech,
    }
    return [words for words, is_lacking in lacks.items() if is_lacking]


def _midnight(now: datetime, settings: TenantSettings) -> datetime:
    """When the business's day began."""
    return now.astimezone(settings.zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _trouble(error: ProviderError) -> str:
    _log.warning("console.sidecar_failed", reason=error.reason)
    return gettext(_REFUSED if isinstance(error, ProviderRejected) else _NO_ANSWER)


def _svg(code: str) -> bytes:
    drawn = io.BytesIO()
    # The least correction makes the largest modules: what is scanned is a screen, not a torn label.
    segno.make(code, error="l").save(
        drawn, kind="svg", border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return drawn.getvalue()

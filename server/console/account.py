"""One's own account: password, language of the pages, second factor."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from http import HTTPStatus

import segno
from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from server.console.access import needs
from server.console.auth import current_actor, current_member, keep_session
from server.console.login import code_key, password_key, typed_code
from server.console.pages import Pages
from server.console.throttle import Throttle
from server.console.translations import gettext
from server.domain.passwords import LEAST_LENGTH, MOST_LENGTH, is_obvious
from server.domain.phrases import Phrase
from server.domain.staff import Permission
from server.domain.totp import as_typed, key_uri
from server.errors import UnprocessableRequest
from server.store.second_factors import SecondFactors
from server.store.users import User, Users
from server.translations import LANGUAGES

# Where the session keeps the secret of a second factor that is not on yet, sealed.
_OFFERED = "second_factor"


def _(text: str) -> str:
    """Marks *text* for translation, which happens when the page is made."""
    return text


_WRONG_PASSWORD = _("This is not your password.")
_TRIED_TOO_OFTEN = _("Too many attempts. Try again in a quarter of an hour.")
_WRONG_CODE = _("This is not the code of this moment. Wait for the next one in the app, and type that.")


@dataclass(frozen=True, slots=True)
class _Account:
    """What the forms of the page work with. Each changes the account of whoever sends it, and no other."""

    pages: Pages
    users: Users
    factors: SecondFactors
    throttle: Throttle

    def page(self, password_fault: str = "", factor_fault: str = "") -> str:
        return self.pages.render(
            "account.html",
            languages=LANGUAGES,
            least_length=LEAST_LENGTH,
            most_length=MOST_LENGTH,
            password_fault=password_fault,
            factor_fault=factor_fault,
            done=request.args.get("done", ""),
        )

    def offer_page(self, fault: str = "") -> str:
        user = current_member()
        secret = self.factors.reveal(user, _offered())
        qr = _qr(key_uri(secret, user.name))
        return self.pages.render("second_factor.html", key=as_typed(secret), qr=qr, fault=fault)

    def fault_of_password(self, password: str) -> str:
        """Why *password* does not do; empty if it is one's own."""
        user = current_member()
        key = password_key(user.name)
        if self.throttle.take(key) > 0:
            return _TRIED_TOO_OFTEN
        if self.users.verify(user.name, password) is None:
            return _WRONG_PASSWORD
        self.throttle.forget(key)
        return ""

    def fault_of_code(self) -> str:
        """Why the code that was typed does not do; empty if it is good."""
        user = current_member()
        key = code_key(user)
        if self.throttle.take(key) > 0:
            return _TRIED_TOO_OFTEN
        if not self.factors.accepts(user, typed_code()):
            return _WRONG_CODE
        self.throttle.forget(key)
        return ""


def add_account(
    blueprint: Blueprint, pages: Pages, users: Users, factors: SecondFactors, throttle: Throttle
) -> None:
    """Add the page and its forms."""
    account = _Account(pages, users, factors, throttle)
    _add_password_and_language(blueprint, account)
    _add_second_factor(blueprint, account)


def _add_password_and_language(blueprint: Blueprint, account: _Account) -> None:
    @blueprint.get("/account")
    def show_account() -> str:
        return account.page()

    @blueprint.post("/account/password")
    @needs(Permission.READ)
    def change_password() -> ResponseReturnValue:
        user, password = current_member(), request.form.get("new", "")
        fault = _fault_of(password, request.form.get("again", ""), account.pages, user)
        fault = fault or account.fault_of_password(request.form.get("old", ""))
        if fault:
            return account.page(password_fault=gettext(fault)), HTTPStatus.UNPROCESSABLE_ENTITY
        # Another password ends all sessions of the user's, but for this one.
        keep_session(account.users.set_password(user, password, current_actor()))
        return _back("password")

    @blueprint.post("/account/language")
    @needs(Permission.READ)
    def choose_language() -> ResponseReturnValue:
        language = request.form.get("language", "")
        if language not in ("", *LANGUAGES):
            raise UnprocessableRequest(Phrase("go back and choose one of the languages"))
        user = current_member()
        account.users.set_language(user.tenant_id, user.id, language)
        return _back("language")


def _add_second_factor(blueprint: Blueprint, account: _Account) -> None:
    @blueprint.get("/account/second-factor")
    def offer_second_factor() -> ResponseReturnValue:
        user = current_member()
        if user.has_second_factor:
            return _back("")
        if _OFFERED not in session:
            session[_OFFERED] = urlsafe_b64encode(account.factors.offer(user)).decode()
        return account.offer_page()

    @blueprint.post("/account/second-factor")
    @needs(Permission.READ)
    def switch_on_second_factor() -> ResponseReturnValue:
        user = current_member()
        if _OFFERED not in session or user.has_second_factor:
            return redirect(url_for("console.offer_second_factor"), HTTPStatus.SEE_OTHER)
        if not account.factors.switch_on(user, _offered(), typed_code(), current_actor()):
            return account.offer_page(gettext(_WRONG_CODE)), HTTPStatus.UNPROCESSABLE_ENTITY
        del session[_OFFERED]
        return _back("second-factor-on")

    @blueprint.post("/account/second-factor/off")
    @needs(Permission.READ)
    def switch_off_second_factor() -> ResponseReturnValue:
        fault = account.fault_of_password(request.form.get("password", "")) or account.fault_of_code()
        if fault:
            return account.page(factor_fault=gettext(fault)), HTTPStatus.UNPROCESSABLE_ENTITY
        user = current_member()
        account.users.drop_second_factor(user.tenant_id, user.id, current_actor())
        return _back("second-factor-off")


def _fault_of(password: str, again: str, pages: Pages, user: User) -> str:
    """Why *password* may not be chosen; empty if it may."""
    if not LEAST_LENGTH <= len(password) <= MOST_LENGTH:
        return _("The new password must have at least 10 characters, and at most 256.")
    if is_obvious(password, user.name, pages.tenants.get(user.tenant_id).settings.name):
        return _("The new password is one of the first that somebody would try. Take several words.")
    if password != again:
        return _("The new password is not the same in both fields. Type it again.")
    return ""


def _back(done: str) -> ResponseReturnValue:
    return redirect(url_for("console.show_account", done=done or None), HTTPStatus.SEE_OTHER)


def _offered() -> bytes:
    return urlsafe_b64decode(session[_OFFERED])


def _qr(text: str) -> Markup:
    # Black on white whatever the page's colours are: that is what cameras read.
    drawn = segno.make(text, micro=False).svg_inline(omitsize=True, border=4, light="#fff", svgclass="qr")
    return Markup(drawn)  # noqa: S704 - drawn by us, of rectangles alone

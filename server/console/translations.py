"""The console's words in the language of whoever reads them."""

from __future__ import annotations

from flask import Flask, g, has_request_context, request

from server.translations import LANGUAGES, RIGHT_TO_LEFT, catalogue, said


def translate(app: Flask) -> None:
    """Let the templates of *app* say ``_("…")``, ``ngettext`` and ``{% trans %}``."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters["translated"] = translated
    app.jinja_env.globals.update(page_language=page_language, page_direction=page_direction)


def page_language() -> str:
    """Of this request: what its user has chosen, or what the browser asks for."""
    if not has_request_context():
        return "en"
    # A user that is not loaded yet is not asked for: an error page must not need the database.
    member = g.get("_login_user")
    chosen = str(getattr(getattr(member, "user", None), "language", ""))
    if chosen in LANGUAGES:
        return chosen
    # A page asks hundreds of times.
    if "browser_language" not in g:
        g.browser_language = request.accept_languages.best_match(LANGUAGES, "en")
    return str(g.browser_language)


def page_direction() -> str:
    """``rtl`` or ``ltr``."""
    return "rtl" if page_language() in RIGHT_TO_LEFT else "ltr"


def gettext(text: str) -> str:
    """*text* as the reader of this page has it."""
    return catalogue(page_language()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """*one* or *many*, by *count*, as the reader of this page has it."""
    return catalogue(page_language()).ngettext(one, many, count)


def words_of(error: Exception) -> str:
    """What *error* says, as the reader of this page has it; in English if it is not made of a phrase."""
    return translated(error.args[0]) if error.args else str(error)


def translated(words: object) -> str:
    """*words* as the reader of this page has them, if they are a phrase; else as they are."""
    return said(words, page_language())

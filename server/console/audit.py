"""What staff have done, newest first."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Blueprint, request, url_for

from server.console.access import needs
from server.console.auth import current_member
from server.console.pages import Pages
from server.console.translations import gettext
from server.domain.audit import AuditAction
from server.domain.cursors import NEWEST_ENTRY, AuditCursor
from server.domain.modes import EventKind
from server.domain.staff import Permission
from server.store.audit import AuditLog


def _(text: str) -> str:
    """Marks *text* for translation, which happens when the page is made."""
    return text


_ACTIONS: Mapping[str, str] = {
    AuditAction.LOGIN: _("Logged in"),
    AuditAction.SECOND_FACTOR_REFUSED: _("Wrong code of the second factor"),
    AuditAction.SECOND_FACTOR_ON: _("Second factor switched on"),
    AuditAction.SECOND_FACTOR_OFF: _("Second factor switched off"),
    AuditAction.PASSWORD: _("New password"),
    AuditAction.USER_ADDED: _("Added to the team"),
    AuditAction.USER_ROLE: _("Role changed"),
    AuditAction.USER_DISABLED: _("Disabled"),
    AuditAction.USER_ENABLED: _("Enabled again"),
    AuditAction.SESSIONS_ENDED: _("All sessions ended"),
    AuditAction.KEY_MADE: _("API key made"),
    AuditAction.KEY_REVOKED: _("API key revoked"),
    AuditAction.GUEST_EXPORTED: _("A guest's data exported"),
    AuditAction.GUEST_ERASED: _("A guest erased"),
    "conversation.assigned": _("Conversation: assigned"),
    "desk.paused": _("Desk: paused"),
    "desk.resumed": _("Desk: resumed"),
    "document.added": _("Document: added"),
    "document.changed": _("Document: changed"),
    "document.removed": _("Document: removed"),
    "draft.sent": _("Draft: sent"),
    "draft.changed": _("Draft: changed"),
    "draft.dropped": _("Draft: dropped"),
    "knowledge.imported": _("Knowledge: imported"),
    "label.added": _("Label: added"),
    "label.removed": _("Label: removed"),
    "number.linking": _("Number: linking"),
    "number.logged_out": _("Number: logged out"),
    "question.answered": _("Question: answered"),
    "question.dismissed": _("Question: dismissed"),
    "reply.added": _("Reply: added"),
    "reply.changed": _("Reply: changed"),
    "reply.deleted": _("Reply: deleted"),
    "settings.changed": _("Settings: changed"),
    EventKind.TAKEOVER: _("Took over"),
    EventKind.HAND_BACK: _("Handed back to the desk"),
    EventKind.MODE: _("Changed who answers"),
}
# As they stand in the log.
_KINDS = (
    _("user"),
    _("key"),
    _("guest"),
    _("conversation"),
    _("document"),
    _("question"),
    _("reply"),
    _("knowledge"),
    _("tenant"),
)
_DETAILS = (
    _("role"),
    _("mode"),
    _("title"),
    _("label"),
    _("user"),
    _("draft"),
    _("document"),
    _("settings"),
    _("questions"),
    _("told"),
    _("new"),
    _("changed"),
    _("unchanged"),
    _("removed"),
)
_ACTORS: Mapping[str, str] = {
    "api": _("The API"),
    "command": _("Whoever runs the server"),
    "host_phone": _("The business's phone"),
}


def add_audit_page(blueprint: Blueprint, pages: Pages, log: AuditLog) -> None:
    """Add the page."""

    @blueprint.get("/audit")
    @needs(Permission.MANAGE)
    def show_audit() -> str:
        before = request.args.get("before")
        cursor = AuditCursor.parse(before) if before else NEWEST_ENTRY
        page = log.page(current_member().tenant_id, cursor)
        return pages.render(
            "audit.html",
            page=page,
            is_first=cursor == NEWEST_ENTRY,
            action_words=_action_words,
            actor_words=_actor_words,
            subject_words=_subject_words,
            detail_words=_detail_words,
            link_of=_link_of,
        )


def _action_words(action: str) -> str:
    """What was done; of what is not known here, its own word."""
    known = _ACTIONS.get(action)
    return gettext(known) if known else action.replace("_", " ").replace(".", ": ").capitalize()


def _actor_words(actor: str) -> str:
    """Who did it: a member of staff by name."""
    known = _ACTORS.get(actor)
    return gettext(known) if known else actor.removeprefix("console: ")


def _subject_words(subject: str) -> str:
    """What it was done to, the kind of thing in the reader's language."""
    kind, space, which = subject.partition(" ")
    return f"{gettext(kind)}{space}{which}" if kind in _KINDS else subject


def _detail_words(name: str) -> str:
    """What a detail is called."""
    return gettext(name) if name in _DETAILS else name.replace("_", " ")


def _link_of(subject: str) -> str | None:
    """The page of a conversation."""
    found = re.fullmatch(r"conversation (\d+)", subject)
    return None if found is None else url_for("console.show_thread", conversation_id=int(found[1]))

"""The pages that the console's head leads to."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.staff import Permission


@dataclass(frozen=True, slots=True)
class Destination:
    """A page, what it is called, and what it asks of who opens it. ``section`` is the blueprint's endpoints
    that count as being there.
    """

    endpoint: str
    label: str
    permission: Permission
    section: frozenset[str]


def _(text: str) -> str:
    """Marks *text* for translation, which happens when the page is made."""
    return text


DESTINATIONS = (
    Destination(
        "console.show_overview",
        _("Overview"),
        Permission.READ,
        frozenset({"console.show_overview", "console.show_report"}),
    ),
    Destination(
        "console.list_conversations",
        _("Conversations"),
        Permission.READ,
        frozenset({"console.list_conversations", "console.show_thread", "console.show_why"}),
    ),
    Destination(
        "console.list_questions",
        _("Questions"),
        Permission.READ,
        frozenset({"console.list_questions", "console.show_question", "console.show_answered"}),
    ),
    Destination(
        "console.list_documents",
        _("Knowledge"),
        Permission.READ,
        frozenset(
            {
                "console.list_documents",
                "console.show_document",
                "console.new_document",
                "console.confirm_deletion",
                "console.choose_files",
                "console.show_import",
                "console.try_question",
                "console.tried_question",
            }
        ),
    ),
    Destination(
        "console.list_replies",
        _("Replies"),
        Permission.ANSWER,
        frozenset(
            {"console.list_replies", "console.add_reply", "console.show_reply", "console.change_reply"}
        ),
    ),
    Destination("console.show_test", _("Playground"), Permission.ANSWER, frozenset({"console.show_test"})),
    Destination(
        "console.show_numbers",
        _("Numbers"),
        Permission.READ,
        frozenset({"console.show_numbers", "console.show_link", "console.confirm_log_out"}),
    ),
    Destination(
        "console.show_settings",
        _("Settings"),
        Permission.MANAGE,
        frozenset({"console.show_settings", "console.save_settings"}),
    ),
    Destination(
        "console.show_team",
        _("Team"),
        Permission.MANAGE,
        frozenset(
            {
                "console.show_team",
                "console.add_user",
                "console.reset_password",
                "console.show_keys",
                "console.make_key",
                "console.show_audit",
            }
        ),
    ),
)

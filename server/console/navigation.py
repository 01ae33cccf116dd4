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
        "console.list_conversations",
        _("Conversations"),
        Permission.READ,
        frozenset({"console.list_conversations", "console.show_thread"}),
    ),
)

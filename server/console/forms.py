"""What comes with the forms of a thread's page."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue


def written(field: str) -> str:
    """The text that was written into *field*, without what surrounds it."""
    # Browsers end lines as of old; a zero byte is the one character that PostgreSQL cannot take.
    return request.form.get(field, "").replace("\r\n", "\n").replace("\0", "").strip()


def back_to(conversation_id: int, anchor: str = "latest") -> ResponseReturnValue:
    """To the conversation's page, where a form of it was sent from."""
    page = url_for("console.show_thread", conversation_id=conversation_id, _anchor=anchor)
    return redirect(page, 303)

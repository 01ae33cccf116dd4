"""Leaves out what staff do to try the desk: it is no guest's."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from server.domain.playground import PREFIX
from server.store.models import CallRow, GuestRow, InboundRow, OutboxRow

_IS_A_TEST = f"{PREFIX}%"


def is_a_guest() -> ColumnElement[bool]:
    """Of guests' rows: whether it is no test."""
    return GuestRow.chat_key.is_(None) | GuestRow.chat_key.not_like(_IS_A_TEST)


def is_a_guests_call() -> ColumnElement[bool]:
    """Of calls' rows: whether it is no test."""
    return CallRow.caller.not_like(_IS_A_TEST)


def is_from_a_guests_thread() -> ColumnElement[bool]:
    """Of inbound rows: whether it came in no test."""
    return InboundRow.reply_to.not_like(_IS_A_TEST)


def is_to_a_guest() -> ColumnElement[bool]:
    """Of outbox rows: whether it went out in no test."""
    return OutboxRow.to_address.not_like(_IS_A_TEST)

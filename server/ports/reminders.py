"""What we ask of the database so that nobody waits for a person unheard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from server.domain.reminders import Reminder, Waiting


class ReminderStore(Protocol):
    """Knows who waits for a person, and puts reminders for staff into the outbox."""

    def waiting(self, first: datetime, last: datetime) -> Sequence[Waiting]:
        """The conversations that have waited since between *first* and *last*, both included.

        What lies outside of them costs nothing.
        """
        ...

    def remind(self, reminder: Reminder) -> Sequence[str]:
        """Tell staff, once, however many processes do it at once; nothing if it waits no longer.

        Returns:
            The outbox lanes that have something to send.
        """
        ...

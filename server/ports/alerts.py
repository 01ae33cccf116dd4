"""What we ask of the database when staff must hear that something is wrong with a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from server.domain.lines import LastReport, LineState, Unreadable


class AlertStore(Protocol):
    """Keeps what was last told of each line, and puts alerts for staff into the outbox.

    They go by e-mail and webhook: a line that is down carries none.
    """

    def record(self, tenant_id: str, line: LineState) -> None:
        """Keep what was told of a line, in place of what was told before.

        Raises:
            NotFound: there is no such tenant.
        """
        ...

    def last_reports(self) -> Sequence[LastReport]:
        """What was last told of each number that is linked, by whichever process it was heard."""
        ...

    def begin_incident(self, tenant_id: str, line: LineState) -> Sequence[str]:
        """Tell staff that the line is down, unless they were told and it has not been up since.

        Returns:
            The outbox lanes that have something to send.

        Raises:
            NotFound: there is no such tenant.
        """
        ...

    def end_incident(self, tenant_id: str, line: LineState) -> Sequence[str]:
        """Tell those who heard of an incident that it is over; nothing, if there is none."""
        ...

    def report_unreadable(self, tenant_id: str, message: Unreadable) -> Sequence[str]:
        """Tell staff of a message that nobody could read, once.

        Raises:
            NotFound: there is no such tenant.
        """
        ...

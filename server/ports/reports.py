"""What we ask of the database so that staff have their morning report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class MorningReportStore(Protocol):
    """Puts morning reports into the outbox."""

    def put_due(self, limit: int) -> Sequence[str]:
        """Make the reports that are due: one a business and day, however many processes do it at once.

        Args:
            limit: businesses at once, at most.

        Returns:
            The outbox lanes that have something to send.

        Raises:
            StoreUnavailable: the database does not answer; what was not made is made the next time.
        """
        ...

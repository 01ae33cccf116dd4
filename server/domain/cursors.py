"""Where a page of the console ends, written so that it fits into an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from server.errors import InvalidRequest

_TWO_NUMBERS = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ListCursor:
    """The last conversation of a page: its newest message's time, and its id where times are equal."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> ListCursor:
        """Read what `str` wrote.

        Raises:
            InvalidRequest: it is something else.
        """
        microseconds, row_id = _two_numbers(text)
        return cls(_EPOCH + timedelta(microseconds=min(microseconds, _LATEST_US)), row_id)


@dataclass(frozen=True, slots=True)
class ThreadCursor:
    """The oldest lines of a page, one of each table; what is older has smaller ids."""

    inbound_id: int
    outbox_id: int

    def __str__(self) -> str:
        return f"{self.inbound_id}.{self.outbox_id}"

    @classmethod
    def parse(cls, text: str) -> ThreadCursor:
        """Read what `str` wrote.

        Raises:
            InvalidRequest: it is something else.
        """
        return cls(*_two_numbers(text))


@dataclass(frozen=True, slots=True)
class AuditCursor:
    """The oldest entries of a page of the audit log, one of each table; what is older has smaller ids."""

    audit_id: int
    event_id: int

    def __str__(self) -> str:
        return f"{self.audit_id}.{self.event_id}"

    @classmethod
    def parse(cls, text: str) -> AuditCursor:
        """Read what `str` wrote.

        Raises:
            InvalidRequest: it is something else.
        """
        return cls(*_two_numbers(text))


# Beyond any id that a table will ever hold.
_BEYOND = 10**18 - 1
NEWEST = ThreadCursor(_BEYOND, _BEYOND)
NEWEST_ENTRY = AuditCursor(_BEYOND, _BEYOND)


def _two_numbers(text: str) -> tuple[int, int]:
    match = _TWO_NUMBERS.fullmatch(text)
    if match is None:
        raise InvalidRequest("`before` is not an address that this page made; open the page without it")
    return int(match[1]), int(match[2])

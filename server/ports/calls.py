"""What we ask of the database for phone calls. All of it blocks; the core asks in worker threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from server.domain.call_views import CallView
from server.domain.calls import Call, CallTurn, EndedCall, NextStep
from server.domain.conversations import Reply


class CallStore(Protocol):
    """Calls and what was said on them, in the same threads as what guests write."""

    def ring(self, call_id: str, called: str, caller: str, history_lines: int) -> Call:
        """A call has come in to the number *called*; the same for the same when told again.

        Raises:
            NotFound: no business has the number.
            StoreUnavailable: the database does not answer.
        """
        ...

    def find(self, call_id: str, history_lines: int) -> Call | None:
        """A call that has rung."""
        ...

    def issue_token(self, call_id: str) -> str:
        """A new secret that opens the call's media socket once, soon, in place of the one before."""
        ...

    def redeem_token(self, call_id: str, token: str) -> bool:
        """Whether *token* opens the call's media socket; it does so once."""
        ...

    def go_on_with(self, call_id: str, step: NextStep, to_say: str = "") -> None:
        """What the call does next, once its media socket is closed; *to_say* is said before it."""
        ...

    def record(self, call: Call, turn: CallTurn) -> Sequence[str]:
        """Keep what was said, in the caller's thread; returns the outbox lanes that have news for staff.

        The same turn again changes what came of it, never the caller's words; what was told before is not
        taken back by a turn that tells of less.
        """
        ...

    def find_turn(self, call_id: str, number: int) -> CallTurn | None:
        """A turn as it is kept; None if nothing is. Its reply has no text while it is still being made."""
        ...

    def end(self, call_id: str, because: str, seconds: int | None) -> None:
        """The call is over; told again, the first reason stands."""
        ...

    def due_endings(self, limit: int) -> Sequence[EndedCall]:
        """Calls that ended some seconds ago and were not looked at since: all that was said is kept."""
        ...

    def close_ending(self, call_id: str, reply: Reply | None) -> str | None:
        """The call's end was looked at, and is not again; *reply* is sent to the caller's WhatsApp, once.

        Returns the outbox lane. None if nothing is to be sent: *reply* is None, somebody has closed it
        before, staff have the thread, the guest has never written on WhatsApp, or has called again.
        """
        ...


class CallLog(Protocol):
    """Calls as those see them who look from outside."""

    def call(self, tenant_id: str, call_id: str) -> CallView:
        """A call with all that was said on it.

        Raises:
            NotFound: the tenant has no such call.
        """
        ...

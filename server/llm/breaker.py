"""A circuit breaker for one model.

Our own, as pybreaker's does not fit a stream: it raises its own error in place of the model's when it opens,
takes a cancelled reader for a failure of the model, counts failures in a row alone, lets any number of calls
through while it tries the model again, and reads the wall clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

IN_A_ROW = 5
WINDOW = 20
SHARE = 0.6
PAUSE_S = 10.0


class BreakerState(StrEnum):
    """Closed: calls go through. Open: none does. Half open: one is let through to see how it goes."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after so many failures in a row, or so large a share of the latest calls.

    Args:
        monotonic: a stopwatch.
        in_a_row: failures in a row that open it.
        share: of failures among the latest ``window`` calls that opens it.
        pause_s: before the model is tried again.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        in_a_row: int = IN_A_ROW,
        share: float = SHARE,
        window: int = WINDOW,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._monotonic = monotonic
        self._in_a_row = in_a_row
        self._share = share
        self._pause_s = pause_s
        self._failures: deque[bool] = deque(maxlen=window)
        self._open_until: float | None = None

    @property
    def state(self) -> BreakerState:
        """How it stands now."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._monotonic() < self._open_until else BreakerState.HALF_OPEN

    def lets_through(self) -> bool:
        """Whether a call may be made now; a yes while it is half open is meant for that one call."""
        state = self.state
        if state is BreakerState.HALF_OPEN:
            # Whatever becomes of this call, even nothing, the next is let through a pause later.
            self._open_until = self._monotonic() + self._pause_s
        return state is not BreakerState.OPEN

    def record(self, *, has_failed: bool) -> None:
        """A call has ended."""
        self._failures.append(has_failed)
        if not has_failed:
            self._close()
        elif self._open_until is not None or self._is_too_much():
            self._open_until = self._monotonic() + self._pause_s

    def _close(self) -> None:
        if self._open_until is not None:
            self._open_until = None
            self._failures.clear()

    def _is_too_much(self) -> bool:
        latest = list(self._failures)[-self._in_a_row :]
        if len(latest) == self._in_a_row and all(latest):
            return True
        is_full = len(self._failures) == self._failures.maxlen
        return is_full and sum(self._failures) >= self._share * len(self._failures)

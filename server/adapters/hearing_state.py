"""What a recogniser has said of a call so far, and how often it may break. Pure."""

from __future__ import annotations

from server.errors import ProviderError, ProviderTimeout
from server.ports.speech import FinalTranscript, InterimTranscript, SpeechBegan, SpeechEnded, SpeechEvent

# A stream that has lived so long has come to stay, also if nobody spoke.
_SETTLED_S = 10.0
# So often a service may leave us waiting before it counts as one that hangs.
_MOST_TIMEOUTS = 2
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 0.5


class HearingState:
    """Whether somebody speaks, as far as the recogniser tells, over all streams of a call."""

    def __init__(self) -> None:
        self.is_expecting = False
        self._is_speaking = False
        self._has_words = False

    @property
    def is_silent(self) -> bool:
        """Nobody speaks, and no words wait to become final."""
        return not (self._is_speaking or self._has_words or self.is_expecting)

    def takes(self, event: SpeechEvent) -> bool:
        """Whether *event* is news: a stream that hears audio again tells again that speech began."""
        match event:
            case SpeechBegan():
                is_news, self._is_speaking = not self._is_speaking, True
            case SpeechEnded():
                is_news, self._is_speaking = self._is_speaking, False
            case InterimTranscript():
                is_news = bool(event.text)
                self._has_words = self._has_words or is_news
            case FinalTranscript():
                is_news, self._has_words = bool(event.text), False
        return is_news

    def resume(self, at_s: float) -> SpeechEnded | None:
        """Another stream begins. Speech without words is over for it: what of it is not heard again would
        never end."""
        is_lost = self._is_speaking and not self._has_words
        self._has_words = False
        if not is_lost:
            return None
        self._is_speaking = False
        return SpeechEnded(at_s)


class Outage:
    """How long streams of one call have failed, one after another.

    Args:
        most_s: from the first failure on; then it is over.
    """

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._began_at: float | None = None
        self._failures = 0
        self._timeouts = 0

    def failed(self, error: ProviderError, now: float, *, lasted_s: float, has_answered: bool) -> float:
        """A stream ended with *error*.

        Returns:
            How long to wait before the next, in seconds.

        Raises:
            ProviderError: *error*, as it has failed for too long.
        """
        if has_answered or lasted_s >= _SETTLED_S or self._began_at is None:
            self._began_at, self._failures, self._timeouts = now, 0, 0
        wait_s = min(_FIRST_WAIT_S * 2 ** (self._failures - 1), _LONGEST_WAIT_S) if self._failures else 0.0
        self._failures += 1
        self._timeouts += isinstance(error, ProviderTimeout)
        if self._timeouts >= _MOST_TIMEOUTS or now + wait_s > self._began_at + self._most_s:
            raise error
        return wait_s

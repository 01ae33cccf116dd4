"""The audio of one call that a recogniser may have to hear again."""

from __future__ import annotations


class AudioTape:
    """The latest audio that was not forgotten. Places are bytes since the beginning of the call.

    Args:
        keep: the most bytes to hold; the oldest are lost first.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._held = bytearray()
        self.begin = 0

    @property
    def end(self) -> int:
        """The place behind the latest audio."""
        return self.begin + len(self._held)

    def append(self, audio: bytes) -> None:
        """Hold *audio* too."""
        self._held += audio
        self.forget(self.end - self._keep)

    def read(self, place: int, most: int) -> bytes:
        """The audio from *place* on, at most so many bytes; empty where there is none yet.

        Raises:
            LookupError: it is no longer held.
        """
        if place < self.begin:
            raise LookupError(f"the audio before {self.begin} is gone")
        start = place - self.begin
        return bytes(self._held[start : start + most])

    def forget(self, before: int) -> None:
        """What lies before that place will not be asked for; nothing that is still to come is forgotten."""
        drop = min(before, self.end) - self.begin
        if drop > 0:
            del self._held[:drop]
            self.begin += drop

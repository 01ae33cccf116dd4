"""A call as it sounded: the caller and the desk side by side on one time line; pure, the time is passed in.

The caller's frames tell their own time, counted from the beginning of the stream. The desk is played by the
network in its order and at its own pace, from when it was sent; what is cut off before that is not heard.
"""

from __future__ import annotations

from collections.abc import Iterator

from server.voice import mulaw

CHANNELS = 2
# About four seconds: so much of each channel is given out at a time, and kept in memory until then.
BLOCK_SAMPLES = 32_768
_SILENCE = b"\xff"


class Recording:
    """One call on one socket, from *began_at* on, in seconds of the stopwatch that *now* is read from.

    Blocks are mu-law, 8,000 Hz, a byte of the caller and a byte of the desk in turn.
    """

    def __init__(self, began_at: float) -> None:
        self._began_at = began_at
        # Samples that were given out; both channels hold what comes after.
        self._given = 0
        self._caller = bytearray()
        self._desk = bytearray()

    @property
    def seconds(self) -> float:
        """How much was given out."""
        return mulaw.duration_s(self._given)

    def hear(self, audio: bytes, timestamp_ms: int, now: float) -> None:
        """A frame of the caller's; what was lost before it is silence."""
        # A time that has not come yet is wrong, and would be hours of silence.
        begins = min(timestamp_ms * mulaw.BYTES_A_MS, self._sample(now))
        _append(self._caller, begins - self._given, audio)

    def say(self, audio: bytes, now: float) -> None:
        """*audio* of the desk's has been sent: it plays once all before it has."""
        _append(self._desk, self._sample(now) - self._given, audio)

    def cut(self, now: float) -> None:
        """What of the desk's has not been played yet never is."""
        del self._desk[max(0, self._sample(now) - self._given) :]

    def blocks(self) -> Iterator[bytes]:
        """What is settled, in whole blocks: the desk's last word lies always behind the caller's."""
        while len(self._caller) >= BLOCK_SAMPLES:
            yield self._give(BLOCK_SAMPLES)

    def finish(self, now: float) -> bytes:
        """The rest, once the call is over."""
        self.cut(now)
        return self._give(max(len(self._caller), len(self._desk)))

    def _give(self, length: int) -> bytes:
        both = bytearray(CHANNELS * length)
        for number, channel in enumerate((self._caller, self._desk)):
            both[number::CHANNELS] = channel[:length].ljust(length, _SILENCE)
            del channel[:length]
        self._given += length
        return bytes(both)

    def _sample(self, now: float) -> int:
        return round((now - self._began_at) * mulaw.SAMPLE_RATE_HZ)


def _append(channel: bytearray, begins: int, audio: bytes) -> None:
    """Put *audio* behind what is there, not before the sample *begins*."""
    channel.extend(_SILENCE * (begins - len(channel)))
    channel.extend(audio)

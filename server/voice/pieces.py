"""Frames of a call put together for the recogniser: each message to it costs as much as judging the sound."""

from __future__ import annotations

from server.voice import mulaw

# From 1% of full scale a sample is loud, and a frame of which so many samples are.
_QUIET_CODES = bytes(code for code, sample in enumerate(mulaw.decode(bytes(range(256)))) if abs(sample) < 328)
_LOUD_SHARE = 1 / 8
# How much goes in one message: of a voice and shortly after it, as then every moment counts; and of silence.
_VOICE_BYTES = 2 * mulaw.FRAME_BYTES
_SILENCE_BYTES = 5 * mulaw.FRAME_BYTES
_AFTER_S = 0.6


class Pieces:
    """Of one call's audio. Where sound begins or ends, the recogniser hears of it at once."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._was_loud = False
        self._quiet_bytes = round(_AFTER_S * mulaw.SAMPLE_RATE_HZ)

    def take(self, audio: bytes) -> bytes:
        """Go on by *audio*, mostly one frame; returns what is to be sent now, which may be nothing."""
        self._waiting += audio
        is_loud = len(audio.translate(None, _QUIET_CODES)) >= len(audio) * _LOUD_SHARE
        is_edge = is_loud != self._was_loud
        self._was_loud = is_loud
        self._quiet_bytes = 0 if is_loud else self._quiet_bytes + len(audio)
        if not is_edge and len(self._waiting) < self._enough:
            return b""
        piece = bytes(self._waiting)
        self._waiting.clear()
        return piece

    @property
    def _enough(self) -> int:
        is_silence = mulaw.duration_s(self._quiet_bytes) >= _AFTER_S
        return _SILENCE_BYTES if is_silence else _VOICE_BYTES

"""The audio of OpenAI's voices as the telephone takes it: 24 kHz of 16 bits into mu-law at 8 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from server.voice import mulaw

SOURCE_RATE_HZ = 24_000
_STEP = SOURCE_RATE_HZ // mulaw.SAMPLE_RATE_HZ
_BYTES_A_SAMPLE = 2
# A telephone ends at 3.4 kHz; what is above 4 kHz would come back as another sound. So many taps fall by some
# 60 dB between the two.
_CUT_HZ = 3_700
_TAPS = 143
_KAISER_BETA = 6.0


def _low_pass() -> NDArray[np.float32]:
    places = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * _CUT_HZ / SOURCE_RATE_HZ * places) * np.kaiser(_TAPS, _KAISER_BETA)
    low_pass: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return low_pass


_FILTER = _low_pass()
_DELAY = (_TAPS - 1) // 2


class Downsampler:
    """One sentence's samples, as they come. Each sentence has its own: nothing of one is heard in another."""

    def __init__(self) -> None:
        self._odd = b""
        # As if silence stood before the first sample, so that the sound is not moved by the filter.
        self._samples = np.zeros(_DELAY, np.float32)

    def feed(self, pcm: bytes) -> bytes:
        """The mu-law that *pcm* (16 bits, little-endian, cut anywhere) makes possible; may be empty."""
        pcm = self._odd + pcm
        whole = len(pcm) - len(pcm) % _BYTES_A_SAMPLE
        self._odd = pcm[whole:]
        more = np.frombuffer(pcm[:whole], "<i2").astype(np.float32)
        self._samples = np.concatenate([self._samples, more])
        return self._filtered()

    def finish(self) -> bytes:
        """The rest of the mu-law."""
        self._samples = np.concatenate([self._samples, np.zeros(_DELAY, np.float32)])
        return self._filtered()

    def _filtered(self) -> bytes:
        count = (len(self._samples) - _TAPS) // _STEP + 1
        if count <= 0:
            return b""
        windows = np.lib.stride_tricks.sliding_window_view(self._samples, _TAPS)[: count * _STEP : _STEP]
        loud = np.clip(np.rint(windows @ _FILTER), -32_768, 32_767).astype(np.int16)
        self._samples = self._samples[count * _STEP :]
        return mulaw.encode(loud)

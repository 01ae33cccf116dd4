"""Mu-law, as the telephone carries it: 8,000 Hz, mono, one byte a sample, 8 bytes a millisecond.

Source: ITU-T G.711; tables follow its piecewise-linear form with a bias of 132 and a clip at 32,635.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 8_000
BYTES_A_MS = 8
FRAME_BYTES = 160
FRAME_S = FRAME_BYTES / SAMPLE_RATE_HZ
# The level of nothing at all; one step of mu-law is already louder.
SILENCE_DBFS = -100.0

_SILENT_BYTE = b"\xff"
_BIAS = 132
_CLIP = 32_635


def _decode_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4 & 7).astype(np.int32)
    magnitude = (((code & 15).astype(np.int32) << 3) + _BIAS << exponent) - _BIAS
    return np.where(code & 128, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> NDArray[np.uint8]:
    sample = np.arange(-32_768, 32_768, dtype=np.int32)
    biased = np.minimum(np.abs(sample), _CLIP) + _BIAS
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = biased >> exponent + 3 & 15
    sign = np.where(sample < 0, 128, 0)
    table: NDArray[np.uint8] = (~(sign | exponent << 4 | mantissa) & 255).astype(np.uint8)
    return table


_PCM16 = _decode_table()
_FLOAT = (_PCM16 / np.float32(32_768)).astype(np.float32)
_POWER = _FLOAT.astype(np.float64) ** 2
_MULAW = _encode_table()


def decode(audio: bytes) -> NDArray[np.int16]:
    """Samples of 16 bits."""
    return _PCM16[np.frombuffer(audio, np.uint8)]


def decode_float(audio: bytes) -> NDArray[np.float32]:
    """Samples from -1 to 1."""
    return _FLOAT[np.frombuffer(audio, np.uint8)]


def encode(samples: NDArray[np.int16]) -> bytes:
    """The bytes of samples of 16 bits."""
    return _MULAW[samples.astype(np.int32) + 32_768].tobytes()


def level_dbfs(audio: bytes) -> float:
    """Root mean square of *audio* against full scale: 0 the loudest, ``SILENCE_DBFS`` for none at all."""
    if not audio:
        return SILENCE_DBFS
    power = float(_POWER[np.frombuffer(audio, np.uint8)].mean())
    return max(SILENCE_DBFS, 10 * np.log10(power)) if power else SILENCE_DBFS


def silence(duration_s: float) -> bytes:
    """Digital silence, to the nearest sample."""
    return _SILENT_BYTE * round(duration_s * SAMPLE_RATE_HZ)


def duration_s(byte_count: int) -> float:
    """How long so many bytes play."""
    return byte_count / SAMPLE_RATE_HZ

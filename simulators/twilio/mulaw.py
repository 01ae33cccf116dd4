"""Mu-law telephone audio: 8,000 bytes a second, one channel (ITU-T G.711).

Independent of the product's own tables on purpose: a fault there must not cancel out here.
"""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
FRAME_BYTES = 160
FRAME_S = FRAME_BYTES / RATE_HZ
SILENCE = 0xFF
QUIET_FRAME = bytes([SILENCE]) * FRAME_BYTES

Samples = NDArray[np.int16]

# About -36 dBFS: above line noise and comfort noise, below any speech.
_LOUD_SAMPLE = 512
_LOUD_SHARE = 0.1
_BIAS = 132
_MULAW_FORMAT = 7
_PCM_FORMAT = 1


def _decoding_table() -> Samples:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = ((code >> 4) & 7).astype(np.int32)
    magnitude = ((((code & 15).astype(np.int32) << 3) + _BIAS) << exponent) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encoding_table() -> NDArray[np.uint8]:
    """The code of each 16-bit sample, at the sample read as an unsigned number."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(sample), 32635) + _BIAS
    exponent = np.maximum(np.floor(np.log2(magnitude)).astype(np.int32) - 7, 0)
    mantissa = (magnitude >> (exponent + 3)) & 15
    code = np.where(sample < 0, 0x80, 0) | (exponent << 4) | mantissa
    return np.asarray(~code & 0xFF, dtype=np.uint8)


_DECODED = _decoding_table()
_ENCODED = _encoding_table()
_IS_LOUD_SAMPLE = bytes(int(level) for level in np.abs(_DECODED.astype(np.int32)) >= _LOUD_SAMPLE)


def decode(audio: bytes) -> Samples:
    """16-bit samples of mu-law *audio*."""
    return _DECODED[np.frombuffer(audio, dtype=np.uint8)]


def encode(samples: Samples) -> bytes:
    """Mu-law of 16-bit *samples*."""
    return _ENCODED[samples.view(np.uint16)].tobytes()


def mix(one: bytes, other: bytes) -> bytes:
    """Both at once; of equal length."""
    both = decode(one).astype(np.int32) + decode(other)
    return encode(np.clip(both, -32768, 32767).astype(np.int16))


def is_loud(window: bytes) -> bool:
    """Whether someone can be heard in *window*: a tenth of its samples is above -36 dBFS."""
    return window.translate(_IS_LOUD_SAMPLE).count(1) > _LOUD_SHARE * len(window)


def duration_s(audio: bytes) -> float:
    """How long *audio* lasts."""
    return len(audio) / RATE_HZ


def wav(*channels: bytes) -> bytes:
    """A WAV file, 16-bit at 8 kHz, of one or more mu-law *channels*; shorter ones end in silence."""
    length = max(len(channel) for channel in channels)
    padded = [decode(channel.ljust(length, bytes([SILENCE]))) for channel in channels]
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(len(channels))
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(np.stack(padded, axis=1).astype("<i2").tobytes())
    return file.getvalue()


def from_wav(content: bytes) -> bytes:
    """The mu-law audio of a WAV file: 8 kHz, one channel, mu-law or 16-bit.

    Raises:
        ValueError: it is no such file; the message says why.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ValueError("this is no WAV file")
    chunks = _chunks_of(content)
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise ValueError("the WAV file has no format or no data")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    if (channels, rate) != (1, RATE_HZ):
        raise ValueError(f"the WAV file has {channels} channels at {rate} Hz; give one at {RATE_HZ}")
    data = chunks[b"data"]
    if (kind, bits) == (_MULAW_FORMAT, 8):
        return data
    if (kind, bits) == (_PCM_FORMAT, 16):
        return encode(np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.int16))
    raise ValueError(f"the WAV file has format {kind} with {bits} bits; give mu-law or 16-bit PCM")


def _chunks_of(content: bytes) -> dict[bytes, bytes]:
    chunks: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, place)
        chunks.setdefault(name, content[place + 8 : place + 8 + length])
        place += 8 + length + length % 2
    return chunks

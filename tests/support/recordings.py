"""What is in a recording, and how like it is to what was heard."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from server.voice import mulaw

_HEADER_BYTES = 58
# As far as one clock may be behind the other.
_MOST_LAG = 25
_LEAST_LEVEL = 0.001


def channels(wav: bytes) -> tuple[bytes, bytes]:
    """The caller's and the desk's mu-law of a WAV file of ours."""
    tag, count, rate, bytes_a_s, frame, bits = struct.unpack_from("<HHIIHH", wav, 20)
    assert (wav[:4], wav[8:12], wav[12:16]) == (b"RIFF", b"WAVE", b"fmt ")
    assert (tag, count, rate, bytes_a_s, frame, bits) == (7, 2, 8_000, 16_000, 2, 8)
    assert struct.unpack_from("<I", wav, 4)[0] == len(wav) - 8
    assert wav[50:54] == b"data"
    assert struct.unpack_from("<I", wav, 54)[0] == len(wav) - _HEADER_BYTES
    body = wav[_HEADER_BYTES:]
    return body[0::2], body[1::2]


def loudness(audio: bytes) -> NDArray[np.float64]:
    """The level of each 20 ms."""
    whole = len(audio) - len(audio) % mulaw.FRAME_BYTES
    samples = mulaw.decode_float(audio[:whole]).astype(np.float64)
    level: NDArray[np.float64] = np.sqrt((samples.reshape(-1, mulaw.FRAME_BYTES) ** 2).mean(axis=1))
    return level


def sounds_s(audio: bytes) -> float:
    """For how many seconds there is sound."""
    return float((loudness(audio) > _LEAST_LEVEL).sum() * mulaw.FRAME_S)


def likeness(one: bytes, other: bytes) -> float:
    """How well the loudness of both goes together, 1 at best, where one may be half a second late."""
    first, second = loudness(one), loudness(other)
    count = min(len(first), len(second)) - 2 * _MOST_LAG
    middle = first[_MOST_LAG : _MOST_LAG + count]
    return max(
        float(np.corrcoef(middle, second[lag : lag + count])[0, 1]) for lag in range(2 * _MOST_LAG + 1)
    )

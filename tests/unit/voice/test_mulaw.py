"""Mu-law is read and written as G.711 says, and its loudness and length are known."""

from __future__ import annotations

import numpy as np
import pytest

from server.voice import mulaw

EVERY_BYTE = bytes(range(256))


@pytest.mark.parametrize(
    ("code", "sample"),
    [(0x00, -32124), (0x80, 32124), (0xFF, 0), (0x7F, 0), (0xFE, 8), (0x7E, -8), (0xEF, 132)],
)
def test_bytes_stand_for_the_samples_of_g711(code: int, sample: int) -> None:
    assert mulaw.decode(bytes([code])).tolist() == [sample]


def test_every_sample_that_mulaw_has_is_written_as_it_was_read() -> None:
    samples = mulaw.decode(EVERY_BYTE)
    assert mulaw.decode(mulaw.encode(samples)).tolist() == samples.tolist()


def test_a_sample_is_written_as_one_near_it() -> None:
    samples = np.arange(-32_768, 32_768).astype(np.int16)
    error = np.abs(mulaw.decode(mulaw.encode(samples)).astype(int) - samples)
    # Half a step of its segment; above the clip all is one.
    assert (error <= np.maximum(np.abs(samples.astype(int)) / 16, 8)).all()


def test_samples_as_fractions_are_the_same_samples() -> None:
    assert (mulaw.decode_float(EVERY_BYTE) * 32_768).tolist() == mulaw.decode(EVERY_BYTE).tolist()


def test_silence_is_silent_and_as_long_as_asked() -> None:
    assert mulaw.silence(0.02) == b"\xff" * mulaw.FRAME_BYTES
    assert mulaw.level_dbfs(mulaw.silence(0.1)) == mulaw.SILENCE_DBFS == mulaw.level_dbfs(b"")


def test_a_loud_sine_is_three_decibels_below_full_scale() -> None:
    sine = 32_000 * np.sin(2 * np.pi * 400 * np.arange(8_000) / 8_000)
    assert mulaw.level_dbfs(mulaw.encode(sine.astype(np.int16))) == pytest.approx(-3.2, abs=0.1)


def test_eight_bytes_are_a_millisecond() -> None:
    assert mulaw.duration_s(mulaw.BYTES_A_MS) == 0.001
    assert mulaw.duration_s(mulaw.FRAME_BYTES) == mulaw.FRAME_S == 0.02

"""Headers are taken off, and only headers."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.google_tts import GoogleVoice, without_header
from simulators.google_tts import wav


@given(st.binary(max_size=500))
def test_the_header_of_a_wav_file_is_taken_off(audio: bytes) -> None:
    assert without_header(wav(audio)) == audio


def test_a_file_of_another_maker_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "tone.wav"
    with wave.open(str(file), "wb") as made:
        made.setparams((1, 1, 8000, 4, "NONE", ""))
        made.writeframes(b"abcd")
    assert without_header(file.read_bytes()) == b"abcd"


def test_what_follows_the_audio_is_no_audio() -> None:
    file = wav(b"abcd") + b"LIST" + (4).to_bytes(4, "little") + b"INFO"
    assert without_header(file) == b"abcd"


def test_a_length_that_was_not_known_means_all_there_is() -> None:
    file = wav(b"abcd").replace(b"data" + (4).to_bytes(4, "little"), b"data\xff\xff\xff\xff")
    assert without_header(file) == b"abcd"


@pytest.mark.parametrize("audio", [b"", b"RI", b"\xff" * 50, b"RIFFxxxxAIFF" + b"\xff" * 9])
def test_audio_without_a_header_is_left_as_it_is(audio: bytes) -> None:
    assert without_header(audio) == audio


@given(st.binary(max_size=60))
def test_a_broken_file_is_no_audio_at_worst(rest: bytes) -> None:
    assert len(without_header(b"RIFF\0\0\0\0WAVE" + rest)) <= len(rest)


def test_only_chirp_3_voices_stream() -> None:
    assert GoogleVoice("he-IL", "he-IL-Chirp3-HD-Kore").streams
    assert not GoogleVoice("he-IL", "he-IL-Wavenet-A").streams

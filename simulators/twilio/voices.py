"""Which ``<Say>`` can be said.

Source: twilio.com/docs/voice/twiml/say: a voice that does not speak the language fails the verb. That no
voice but Google's speaks Hebrew follows from Amazon's and Twilio's lists. The numbers of such failures could
not be looked up; they are next to 13513, a rate that cannot be said.
"""

from __future__ import annotations

import re

from simulators.twilio import notices
from simulators.twilio.twiml import Verb

LONGEST_TEXT = 4096
_BASIC = frozenset({"man", "woman", "alice"})
_ONLY_GOOGLE = frozenset({"he-IL"})
_LOCALE = re.compile(r"Google\.([a-z]{2,3}-[A-Z]{2})-.+")


class SayFailure(Exception):
    """The verb is skipped with a warning."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def check(say: Verb) -> None:
    """Whether *say* can be said.

    Raises:
        SayFailure: it cannot.
    """
    if not say.text or len(say.text) > LONGEST_TEXT:
        detail = f"<Say> with {len(say.text)} characters; 1 to {LONGEST_TEXT} can be said"
        raise SayFailure(notices.SAY_TEXT, detail)
    voice, language = say.get("voice"), say.get("language", "en-US")
    locale = _LOCALE.fullmatch(voice)
    if locale is not None and say.get("language") not in ("", locale[1]):
        raise SayFailure(notices.SAY_VOICE, f"voice={voice!r} does not speak {language}")
    if language in _ONLY_GOOGLE and (voice in _BASIC or voice.startswith("Polly.")):
        raise SayFailure(notices.SAY_VOICE, f"voice={voice!r} does not speak {language}")
    if voice and not (locale or voice in _BASIC or voice.startswith("Polly.")):
        raise SayFailure(notices.SAY_VOICE, f"voice={voice!r} is not known")

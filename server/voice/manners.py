"""What a listener says without wanting to speak."""

from __future__ import annotations

import re

from server.knowledge.reading import canonical
from server.voice.word_lists import word_set

_BACKCHANNELS = word_set(
    """
    mm mmm mhm hm hmm uh uhuh huh um ah aha oh ooh yes yeah yep yup ya ok okay okey right alright
    sure fine good great nice cool perfect lovely wow really i see got it of course exactly true
    indeed thanks thank you אה אהה אההה אמ אממ המ הממ אהמ כן כנ יאללה אוקיי אוקי סבבה בסדר טוב יופי
    נכון נכונ אה-הא אהא מעולה מצוין מצוינ הבנתי ברור בטח וואו תודה רבה נהדר
    """
)
_WORD = re.compile(r"[^\W_]+")
# More words than these are meant to be heard.
_MOST_WORDS = 4


def is_backchannel(text: str) -> bool:
    """Whether *text* only shows that its speaker listens: "mm-hm", "yes, okay", "אהה", "כן".

    Then an answer that it interrupted goes on. To a question of the desk the same words are an answer: ask
    only while the desk speaks, and not of what follows its question.
    """
    words = _WORD.findall(canonical(text))
    return 0 < len(words) <= _MOST_WORDS and all(word in _BACKCHANNELS for word in words)

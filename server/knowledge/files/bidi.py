"""Hebrew and Arabic as PDF files hold them, brought into the order in which they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.domain.language import detect_language

_RTL = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff"
HAS_RTL = re.compile(f"[{_RTL}]")
# What keeps its order within a right-to-left line: Latin phrases, and numbers with their signs
# (Unicode Standard Annex 9, rules W4, W5 and N1).
_LTR_RUN = re.compile(rf"[A-Za-z](?:[^{_RTL}]*[A-Za-z0-9])?|[₪$€£%°#]*[0-9]+(?:[.,:/+-][0-9]+)*[₪$€£%°#]*")
_RTL_RUN = re.compile(rf"[{_RTL}](?:[^A-Za-z0-9]*[{_RTL}])?")
_HEBREW_WORD = re.compile("[א-ת]{2,}")
# Five letters have another form at the end of a word.
_AT_THE_END, _ELSEWHERE = "םןץףך", "מנצפכ"
_MIRRORED = str.maketrans("()[]{}<>", ")(][}{><")


def is_reversed(lines: Sequence[str]) -> bool:
    """Whether right-to-left words in *lines* are stored from left to right, as they look.

    Final letters tell; where there are none, yes: most writers of PDF store glyphs so.
    """
    words = [word for line in lines for word in _HEBREW_WORD.findall(line)]
    backward = sum(word[0] in _AT_THE_END or word[-1] in _ELSEWHERE for word in words)
    forward = sum(word[-1] in _AT_THE_END or word[0] in _ELSEWHERE for word in words)
    return backward >= forward


def as_read(line: str) -> str:
    """*line*, whose characters stand as they look from left to right, in the order they are read."""
    if not HAS_RTL.search(line):
        return line
    if detect_language(line) not in ("he", "ar"):
        return _RTL_RUN.sub(lambda run: _unmirrored(run[0][::-1]), line)
    return _unmirrored(_LTR_RUN.sub(lambda run: run[0][::-1], line)[::-1])


def _unmirrored(text: str) -> str:
    """Some writers store a bracket as it looks, others as it is meant: a closing one is never first."""
    for opening, closing in ("()", "[]"):
        if closing in text and not 0 <= text.find(opening) < text.find(closing):
            return text.translate(_MIRRORED)
    return text

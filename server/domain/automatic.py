"""Which messages of the business's own phone a person typed, and which the app sent by itself.

The WhatsApp Business app answers by itself with a greeting (to whoever writes first, or after a long while)
and with an away message. Nothing on the wire marks them. They are known by their words, which the business
can tell us (``auto_messages``), and by their timing: the app answers in the second that the guest's message
arrives, when the chat has been still for long. Taken for a person's, they would silence the desk for every
new guest; a person's taken for theirs, the desk would talk into the person's words. So the rule of timing
is a narrow one, and the configured texts are the sure way.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher

# WhatsApp tells whole seconds: what follows at once may seem to follow after two, or to come before.
AT_ONCE = timedelta(seconds=2)
BEFORE = timedelta(seconds=1)
# Nobody sits before a chat that has been still for so long and answers it within two seconds.
LONG_SILENCE = timedelta(hours=4)
# "Hi!" can be typed in two seconds; this many characters cannot.
SHORTEST_AUTOMATIC = 15

# With fewer words than these a text must be the configured one to the letter.
_FEWEST_WORDS = 5
# How much of two texts must be the same words in the same order. What differs is the guest's name, a
# time of day, a link: the app fills them in.
_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Line:
    """When something was written in a chat, by the guest or by the business."""

    at: datetime
    by_guest: bool


def is_automatic(text: str, at: datetime, before: Sequence[Line], configured: Iterable[str]) -> bool:
    """Whether the phone sent *text* by itself.

    Args:
        at: when it was written, by WhatsApp's clock, as are the times of *before*.
        before: the chat's other lines of the last `LONG_SILENCE` and at least one older, in any order.
        configured: the business's greeting and away messages.
    """
    return is_configured(text, configured) or is_instant(text, at, before)


def is_configured(text: str, configured: Iterable[str]) -> bool:
    """Whether *text* is one of the business's automatic messages, save for what the app fills in."""
    words = _words(text)
    return any(_are_alike(words, _words(template)) for template in configured)


def is_instant(text: str, at: datetime, before: Sequence[Line]) -> bool:
    """Whether *text* came quicker after a long silence than anybody types."""
    if len(text.strip()) < SHORTEST_AUTOMATIC:
        return False
    opening = [line for line in before if at - AT_ONCE <= line.at <= at + BEFORE]
    asked_at = min((line.at for line in opening if line.by_guest), default=None)
    if asked_at is None:
        return False
    last_at = max((line.at for line in before if line.at < at - AT_ONCE), default=None)
    return last_at is None or asked_at - last_at >= LONG_SILENCE


def _are_alike(words: Sequence[str], template: Sequence[str]) -> bool:
    if words == template:
        return bool(words)
    if min(len(words), len(template)) < _FEWEST_WORDS:
        return False
    return SequenceMatcher(None, words, template, autojunk=False).ratio() >= _ALIKE


def _words(text: str) -> list[str]:
    """What is left of *text* without case, marks of direction, and the width of its spaces."""
    visible = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return "".join(visible).casefold().split()

"""How times, durations and texts of two directions are shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from markupsafe import Markup, escape

from server.console.translations import gettext, page_language
from server.domain.language import UNDETERMINED, detect_language

# What falls apart inside a line that runs from right to left: links, addresses, phone numbers with their
# spaces and plus, and codes with a digit in them (a booking number such as 12-AB).
_LEFT_TO_RIGHT = re.compile(
    r"https?://[^\s<>]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?:\+|(?<!\w)0)\d[\d ()-]{5,}\d"
    r"|[+#*]?(?=[A-Z._:/#*+-]*[0-9])[A-Z0-9](?:[A-Z0-9._:/#*+-]*[A-Z0-9#*])",
    re.ASCII | re.IGNORECASE,
)

_DIRECTIONS = ("L", "R", "AL")

# Those that a list of languages offers.
_LANGUAGES = ("ar", "el", "en", "he", "hi", "ja", "ko", "ru", "th", "zh")


def bidi(text: str) -> Markup:
    """*text* escaped; in its right-to-left lines, what reads from left to right is kept together."""
    return Markup("\n").join(
        _keep_together(line) if _runs_right_to_left(line) else escape(line) for line in text.split("\n")
    )


def _runs_right_to_left(line: str) -> bool:
    # As browsers decide for `unicode-bidi: plaintext`: by the first letter that has a direction.
    directions = (unicodedata.bidirectional(character) for character in line)
    return next((direction for direction in directions if direction in _DIRECTIONS), "L") != "L"


def _keep_together(line: str) -> Markup:
    pieces: list[Markup] = []
    end = 0
    for match in _LEFT_TO_RIGHT.finditer(line):
        pieces.append(escape(line[end : match.start()]))
        pieces.append(Markup('<bdi dir="ltr">{}</bdi>').format(match[0]))
        end = match.end()
    pieces.append(escape(line[end:]))
    return Markup().join(pieces)


def language_of(text: str) -> str:
    """What the ``lang`` attribute of *text* should be; empty (unknown) when it cannot be told."""
    language = detect_language(text)
    return "" if language == UNDETERMINED else language


def language_name(code: str) -> str:
    """``Hebrew`` for ``he``, in the reader's language; a code that has no name, in capitals."""
    return str(Locale(page_language()).languages.get(code, code.upper()))


def language_names(first: Iterable[str]) -> Mapping[str, str]:
    """Languages to choose from, by code, those of *first* first."""
    return {code: language_name(code) for code in dict.fromkeys([*first, *_LANGUAGES])}


def duration(milliseconds: float) -> str:
    """A span as exact as people want it: ``0.4 ms``, ``84 ms``, ``1.4 s``, ``2 min 5 s``, ``3 h 9 min``."""
    if milliseconds < 10:
        return gettext("{count} ms").format(count=f"{milliseconds:.1f}")
    if milliseconds < 1000:
        return gettext("{count} ms").format(count=f"{milliseconds:.0f}")
    if milliseconds < 60_000:
        return gettext("{count} s").format(count=f"{milliseconds / 1000:.1f}")
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    if minutes < 60:
        return gettext("{minutes} min {seconds} s").format(minutes=minutes, seconds=seconds)
    return gettext("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


@dataclass(frozen=True, slots=True)
class Times:
    """Shows times as the business's clock has them. ``now`` tells today from other days."""

    zone: ZoneInfo
    now: datetime

    def clock(self, at: datetime) -> str:
        """Hour and minute: ``09:05``."""
        return at.astimezone(self.zone).strftime("%H:%M")

    def is_today(self, at: datetime) -> bool:
        """Whether the business's day is still that of *at*."""
        return self._days_ago(at) == 0

    def day(self, at: datetime) -> str:
        """``Today``, ``Yesterday`` or ``Friday 20 November 2026``."""
        if self.is_today(at):
            return gettext("Today")
        if self._days_ago(at) == 1:
            return gettext("Yesterday")
        # Patterns are of Unicode's locale data; each language orders them as it writes dates.
        return self._written(at, gettext("EEEE d MMMM y"))

    def brief(self, at: datetime) -> str:
        """The time if it was today, else ``Yesterday``, ``20 Nov`` or ``20 Nov 2025``."""
        days_ago = self._days_ago(at)
        if days_ago in (0, 1):
            return self.day(at) if days_ago else self.clock(at)
        is_this_year = at.astimezone(self.zone).year == self.now.astimezone(self.zone).year
        return self._written(at, gettext("d MMM") if is_this_year else gettext("d MMM y"))

    def full(self, at: datetime) -> str:
        """Day and time to the second: ``Friday 20 November 2026, 09:05:07``."""
        return self._written(at, gettext("EEEE d MMMM y, HH:mm:ss"))

    def exact(self, at: datetime) -> str:
        """The time to the thousandth of a second: ``09:05:07.250``."""
        return at.astimezone(self.zone).isoformat(sep=" ", timespec="milliseconds")[11:23]

    def _days_ago(self, at: datetime) -> int:
        return (self.now.astimezone(self.zone).date() - at.astimezone(self.zone).date()) // timedelta(days=1)

    def _written(self, at: datetime, pattern: str) -> str:
        return format_datetime(at, pattern, tzinfo=self.zone, locale=page_language())

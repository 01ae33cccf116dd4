"""What the rules have in common that put words in the place of numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

# Says a match in a language: "he" or "en".
Rule = Callable[[re.Match[str], str], str]

# "In", "to", "from" and the like are one word with a Hebrew number.
PREFIX = r"(?:(?<![א-ת\w])(?P<prefix>[ובלמהכש]{1,3})[-־–]?)?"
DASH = r"\s?[-–—־]\s?"


def prefix(match: re.Match[str]) -> str:
    """The Hebrew prefix of a pattern that begins with ``PREFIX``."""
    return match["prefix"] or ""


def joint(language: str) -> str:
    """What stands between the ends of a range."""
    return " עד " if language == "he" else " to "

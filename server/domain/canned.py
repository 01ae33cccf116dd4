"""Replies that staff write often, with placeholders for what differs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What may stand in curly brackets.
PLACEHOLDERS = ("guest", "me", "business", "phone", "hours")

_IN_BRACKETS = re.compile(r"\{([^{}\n]*)\}")
_GAP = re.compile(rf"\[(?:{'|'.join(PLACEHOLDERS)})\]")


@dataclass(frozen=True, slots=True)
class CannedReply:
    """A reply with its placeholders."""

    id: int
    title: str
    text: str


def unknown_placeholders(text: str) -> Sequence[str]:
    """What stands in curly brackets in *text* and is no placeholder, once each, as it is written there."""
    found = dict.fromkeys(_IN_BRACKETS.findall(text))
    return [f"{{{name}}}" for name in found if name not in PLACEHOLDERS]


def fill(text: str, values: Mapping[str, str]) -> str:
    """*text* with the placeholders' values; one without a value leaves a gap such as ``[guest]``."""
    # In one go: what a guest is called is never read as a placeholder.
    return _IN_BRACKETS.sub(lambda match: _filled(match, values), text)


def gaps(text: str) -> Sequence[str]:
    """The gaps that `fill` has left in *text*, once each."""
    return list(dict.fromkeys(_GAP.findall(text)))


def _filled(match: re.Match[str], values: Mapping[str, str]) -> str:
    name = match[1]
    if name not in PLACEHOLDERS:
        return match[0]
    return values.get(name, "").strip() or f"[{name}]"

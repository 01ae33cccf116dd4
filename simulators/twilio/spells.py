"""Spells of sound on the time of a call, and what can be asked of them; times in seconds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from simulators.twilio import mulaw

# Windows this close are one spell: less than a sample.
_TOUCHING_S = 1e-4


class Spell(NamedTuple):
    """Sound from ``start`` to ``end``."""

    start: float
    end: float


class Spells:
    """Loud stretches in the order of time, to the window of 20 ms. Those to come may be known already."""

    def __init__(self) -> None:
        self._spells: list[Spell] = []

    def __iter__(self) -> Iterator[Spell]:
        return iter(self._spells)

    def add(self, start: float, audio: bytes) -> bool:
        """*audio* sounds from *start* on, after all before; returns whether any of it is loud."""
        heard = False
        for place in range(0, len(audio), mulaw.FRAME_BYTES):
            window = audio[place : place + mulaw.FRAME_BYTES]
            if mulaw.is_loud(window):
                heard = True
                begins = start + place / mulaw.RATE_HZ
                self._append(Spell(begins, begins + len(window) / mulaw.RATE_HZ))
        return heard

    def cut(self, at: float) -> None:
        """Nothing sounds after *at*."""
        while self._spells and self._spells[-1].start >= at:
            self._spells.pop()
        if self._spells and self._spells[-1].end > at:
            self._spells[-1] = Spell(self._spells[-1].start, at)

    def first_after(self, at: float) -> float | None:
        """When it is loud for the first time at or after *at*; it may be loud already."""
        found: float | None = None
        for spell in reversed(self._spells):
            if spell.end <= at:
                break
            found = max(spell.start, at)
        return found

    def reaches(self, amount_s: float, since: float) -> float | None:
        """When *amount_s* of sound has been heard since *since*; None if there is not so much."""
        left = amount_s
        for spell in self._since(since):
            length = spell.end - max(spell.start, since)
            if length >= left:
                return max(spell.start, since) + left
            left -= length
        return None

    def quiet_from(self, at: float, for_s: float) -> float:
        """The first moment at or after *at* that begins *for_s* without sound, as far as is known."""
        moment = at
        for spell in self._since(at):
            if spell.start - moment >= for_s:
                break
            moment = max(moment, spell.end)
        return moment

    def last_end(self, before: float) -> float | None:
        """When it was loud for the last time before *before*."""
        for spell in reversed(self._spells):
            if spell.start < before:
                return min(spell.end, before)
        return None

    def _since(self, at: float) -> Iterator[Spell]:
        place = len(self._spells)
        while place and self._spells[place - 1].end > at:
            place -= 1
        yield from self._spells[place:]

    def _append(self, spell: Spell) -> None:
        if self._spells and spell.start - self._spells[-1].end < _TOUCHING_S:
            self._spells[-1] = Spell(self._spells[-1].start, spell.end)
        else:
            self._spells.append(spell)


def gaps(spells: Iterable[Spell], since: float, until: float, longer_than_s: float) -> list[Spell]:
    """Stretches between *since* and *until* that are longer than *longer_than_s* and without sound."""
    found: list[Spell] = []
    moment = since
    for spell in (*sorted(spells), Spell(until, math.inf)):
        start = min(spell.start, until)
        if start - moment > longer_than_s:
            found.append(Spell(moment, start))
        moment = max(moment, spell.end)
        if moment >= until:
            break
    return found


class Track:
    """One channel of a call: pieces of audio at their times, silence between them."""

    def __init__(self) -> None:
        self._pieces: list[tuple[float, bytes]] = []

    def put(self, at: float, audio: bytes) -> None:
        """*audio* sounds from *at* on; later than all before."""
        self._pieces.append((at, audio))

    def cut(self, at: float) -> None:
        """Take away what sounds after *at*."""
        while self._pieces and self._pieces[-1][0] >= at:
            self._pieces.pop()
        if self._pieces:
            start, audio = self._pieces[-1]
            self._pieces[-1] = (start, audio[: round((at - start) * mulaw.RATE_HZ)])

    def render(self, until: float) -> bytes:
        """The whole channel from 0 to *until*."""
        length = max(0, round(until * mulaw.RATE_HZ))
        whole = bytearray([mulaw.SILENCE]) * length
        for at, audio in self._pieces:
            place = round(at * mulaw.RATE_HZ)
            part = audio[: max(0, length - place)]
            whole[place : place + len(part)] = part
        return bytes(whole)

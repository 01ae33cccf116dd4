"""Finds what several signs mean together, in whatever order a guest writes them.

A phrase is words in their order; a frame is ideas in none: *a child* and *40 degrees*, *a stranger* and *our
door* and *trying*. The ideas are found as phrases, in one reading. A frame stands where all of its ideas
stand near each other in one sentence, and none of those does that it excludes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from server.conversation.reflex_words import Found, Said

# From the first word of the first idea to the last of the last: further apart they are two stories.
_WORDS_APART = 14


@dataclass(frozen=True, slots=True)
class Frame:
    """Ideas that together set off the reflex at ``rank``."""

    rank: int
    needs: frozenset[str]
    without: frozenset[str]


@dataclass(frozen=True, slots=True)
class Idea:
    """Tags the phrases that stand for the idea called ``name``."""

    name: str


def read_frame(written: str, rank: int, ideas: Iterable[str]) -> Frame:
    """The frame that *written* says: names of ideas; after a ``-`` one that must not be there.

    Raises:
        ValueError: an idea is not among *ideas*.
    """
    names = written.split()
    without = frozenset(name[1:] for name in names if name.startswith("-"))
    needs = frozenset(name for name in names if not name.startswith("-"))
    unknown = (needs | without) - set(ideas)
    if unknown:
        raise ValueError(f"no idea is called {sorted(unknown)[0]}")
    return Frame(rank, needs, without)


class Frames:
    """Looks for many frames at once, in time that grows with the number of ideas that were found."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._with: dict[str, list[Frame]] = {}
        for frame in frames:
            for name in frame.needs:
                self._with.setdefault(name, []).append(frame)

    def find(self, found: Sequence[Found[Idea]], said: Said) -> Iterator[Found[int]]:
        """Where a frame stands, tagged with its rank. *found* is in the order of the message."""
        sentences = said.sentences()
        present: dict[int, set[str]] = {}
        for idea in found:
            present.setdefault(sentences[idea.start], set()).add(idea.tag.name)
        latest: dict[str, int] = {}
        sentence = -1
        for idea in found:
            if sentences[idea.start] != sentence:
                sentence, latest = sentences[idea.start], {}
            latest[idea.tag.name] = max(idea.start, latest.get(idea.tag.name, 0))
            for frame in self._with.get(idea.tag.name, ()):
                if not frame.needs <= latest.keys() or not frame.without.isdisjoint(present[sentence]):
                    continue
                start = min(latest[name] for name in frame.needs)
                if idea.end - start <= _WORDS_APART:
                    yield Found(frame.rank, start, idea.end)

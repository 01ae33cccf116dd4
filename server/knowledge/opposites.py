"""A word where the source has its opposite: "private" for "shared", "adults" for "children".

A denial is told by its words of denial; these are told by themselves. What matters is where the rest of the
statement stands in the source: beside the word or beside its opposite.
"""

from __future__ import annotations

from collections.abc import Sequence

from server.knowledge.clauses import Clause, Word, is_of_same_day, overlap

PAIRS = (
    "private shared", "hot cold", "adult child", "early late", "large small", "inside outside",
    "quiet noise", "front back", "man woman", "free charge", "visitor resident",
    "tourist citizen", "allow forbid", "breakfast dinner", "vegetarian meat",
    "sell buy", "dorm private",
)  # fmt: skip
_OPPOSITES: dict[str, frozenset[str]] = {}
for _one, _other in (pair.split() for pair in PAIRS):
    _OPPOSITES[f"={_one}"] = _OPPOSITES.get(f"={_one}", frozenset()) | {f"={_other}"}
    _OPPOSITES[f"={_other}"] = _OPPOSITES.get(f"={_other}", frozenset()) | {f"={_one}"}


def opposed(said: Sequence[Clause], told: Sequence[Clause]) -> str:
    """Why a word of *said* is the opposite of what *told* says there; empty if none is."""
    return (
        "opposite" if any(_is_opposed(word, clause, told) for clause in said for word in clause.words) else ""
    )


def _is_opposed(word: Word, clause: Clause, told: Sequence[Clause]) -> bool:
    opposites = frozenset[str]().union(*(_OPPOSITES.get(form, frozenset()) for form in word))
    rest = tuple(other for other in clause.words if other is not word)
    if not opposites or not rest or any(other & opposites for other in clause.words):
        return False
    near = [one for one in told if one.is_negative is clause.is_negative and is_of_same_day(one, clause)]
    beside_word = max((overlap(rest, one.words) for one in told if overlap((word,), one.words)), default=0)
    beside_opposite = max(
        (
            overlap(rest, one.words)
            for one in near
            if any(other & opposites for other in one.words) and not overlap((word,), one.words)
        ),
        default=0,
    )
    return beside_opposite > beside_word and 2 * beside_opposite >= len(rest)

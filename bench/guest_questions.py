"""What guests ask the demo business: questions never asked before, well-known ones, and a realistic mix."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random

from server import demo

# Shortcuts answer these, no model.
EARLY_EXITS = ("Hello!", "Thank you very much!", "שלום", "תודה רבה!")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@cache
def answerable_questions() -> Sequence[str]:
    """Questions of one message that the demo business's documents answer, in both languages."""
    lines = (Path(demo.__file__).parent / "questions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [row["history"][0]["text"] for row in rows if row["gold"] and len(row["history"]) == 1]


def fresh_questions(seed: int = 0) -> Iterator[tuple[str, str]]:
    """Marks and questions without end; each begins with a mark of its own, so that nobody asked it before."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    seen: set[str] = set()
    for text in itertools.cycle(answerable_questions()):
        # As `bench.faults.crowd.MARK` reads them.
        mark = "zq" + "".join(random.choices(_LETTERS, k=5))
        if mark not in seen:
            seen.add(mark)
            yield mark, f"{mark}: {text}"


def zipf_stream(count: int, exponent: float, seed: int = 0) -> list[str]:
    """*count* questions as guests ask them: the n-th most frequent comes n ** -exponent times as often."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    ranked = list(answerable_questions())
    random.shuffle(ranked)
    weights = [1 / (place + 1) ** exponent for place in range(len(ranked))]
    return random.choices(ranked, weights, k=count)

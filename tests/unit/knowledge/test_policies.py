"""What a growing sentence says of rules is decided at its last word as by the whole of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from bench.gate_corpus import DEVELOP, read_corpus
from server.conversation.leaks import ends_in_machinery, shows_machinery
from server.knowledge.policies import may_speak_policy, speaks_policy


def grown() -> Iterator[tuple[str, str]]:
    """Each reply of a corpus up to one word, with what it was before that word."""
    for entry in read_corpus(DEVELOP):
        ends = [match.end() for match in re.finditer(r"[^\W_]+", entry.reply)]
        yield from ((entry.reply[:before], entry.reply[:end]) for before, end in pairwise([0, *ends]))


def test_the_word_that_makes_a_rule_is_seen_at_the_end() -> None:
    ruled = [after for before, after in grown() if speaks_policy(after) and not speaks_policy(before)]
    assert len(ruled) > 100
    assert all(map(may_speak_policy, ruled))


def test_the_word_that_shows_machinery_is_seen_at_the_end() -> None:
    shown = [after for before, after in grown() if shows_machinery(after) and not shows_machinery(before)]
    assert len(shown) > 10
    assert all(map(ends_in_machinery, shown))

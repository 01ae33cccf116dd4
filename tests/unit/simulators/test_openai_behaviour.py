"""Faults come in their shares, the same under the same seed; prompts are cached by their beginning."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from pydantic import ValidationError

from simulators.openai_answer import PromptCache
from simulators.openai_behaviour import Behaviour, Faults

MIXED = Faults(hang_mid_stream=0.05, error_500=0.05, error_429=0.05, cut=0.02)


def test_each_fault_has_its_share() -> None:
    random = Random(3)  # noqa: S311 - repeatable on purpose
    drawn = Counter(MIXED.draw(random) for _ in range(20_000))
    for name, share in (("hang_mid_stream", 0.05), ("error_500", 0.05), ("error_429", 0.05), ("cut", 0.02)):
        assert abs(drawn[name] / 20_000 - share) < 0.006  # type: ignore[index]
    assert set(drawn) == {None, "hang_mid_stream", "error_500", "error_429", "cut"}


def test_the_same_seed_draws_the_same_faults() -> None:
    def drawn(seed: int) -> list[str | None]:
        random = Random(seed)  # noqa: S311 - repeatable on purpose
        return [MIXED.draw(random) for _ in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_more_than_all_requests_cannot_go_wrong() -> None:
    with pytest.raises(ValidationError, match="at most 1"):
        Faults(cut=0.6, error_500=0.5)


def test_a_fault_changes_one_request_only() -> None:
    behaviour = Behaviour(latency_first_token_ms=400)
    random = Random(0)  # noqa: S311 - repeatable on purpose
    assert behaviour.gone_wrong(None, random) is behaviour
    assert behaviour.gone_wrong("error_429", random).error_status == 429
    assert behaviour.gone_wrong("hang_first_token", random).hang == "first_token"
    cut = behaviour.gone_wrong("cut", random)
    assert cut.cut_after_tokens is not None
    assert cut.latency_first_token_ms == 400


def test_a_prompt_is_cached_as_far_as_its_beginning_was_sent_before() -> None:
    cache = PromptCache()
    words = [str(number) for number in range(1500)]
    assert cache.cached(words, at_least=1024) == 0
    assert cache.cached(words, at_least=1024) == 1024 + 3 * 128
    assert cache.cached([*words[:1200], *"abc"], at_least=1024) == 1152
    assert cache.cached(["other", *words], at_least=1024) == 0
    assert cache.cached(words[:1000], at_least=1024) == 0

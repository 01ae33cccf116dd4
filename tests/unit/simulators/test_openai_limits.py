"""The simulated rate limits fill, refuse and tell as the API's do."""

from __future__ import annotations

import pytest

from simulators.openai_limits import KeyLimits, duration
from simulators.openai_wire import Refusal


class HandClock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def refused(limits: KeyLimits, tokens: int = 1) -> Refusal:
    with pytest.raises(Refusal) as caught:
        limits.admit("gpt-4o", tokens)
    return caught.value


def test_a_minute_of_requests_passes_at_once_and_then_one_for_each_that_flowed_in(clock: HandClock) -> None:
    limits = KeyLimits(60, 1000, clock)
    for _ in range(60):
        limits.admit("gpt-4o", 1)
    refused(limits)
    clock.now += 0.99
    refused(limits)
    clock.now += 0.02
    limits.admit("gpt-4o", 1)
    refused(limits)


def test_a_refusal_says_what_is_short_and_when_to_come_back(clock: HandClock) -> None:
    limits = KeyLimits(10, 600, clock)
    limits.admit("gpt-4o", 600)
    refusal = refused(limits, tokens=15)
    assert refusal.status == 429
    error = refusal.body["error"]
    assert (error["type"], error["code"]) == ("tokens", "rate_limit_exceeded")
    assert "Limit 600, Used 600, Requested 15. Please try again in 1.5s." in str(error["message"])
    assert refusal.headers == {"retry-after": "2", "retry-after-ms": "1500"}
    clock.now += 1.5
    limits.admit("gpt-4o", 15)


def test_what_is_refused_takes_nothing(clock: HandClock) -> None:
    limits = KeyLimits(10, 100, clock)
    limits.admit("gpt-4o", 90)
    before = limits.headers()
    refused(limits, tokens=20)
    assert limits.headers() == before


def test_real_usage_corrects_the_estimate(clock: HandClock) -> None:
    limits = KeyLimits(10, 1000, clock)
    limits.admit("gpt-4o", 900)
    limits.correct(estimated=900, used=300)
    assert limits.headers()["x-ratelimit-remaining-tokens"] == "700"


def test_headers_tell_limit_rest_and_when_all_is_there_again(clock: HandClock) -> None:
    limits = KeyLimits(10_000, 60_000, clock)
    limits.admit("gpt-4o", 1500)
    assert limits.headers() == {
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-limit-tokens": "60000",
        "x-ratelimit-remaining-tokens": "58500",
        "x-ratelimit-reset-tokens": "1.5s",
    }


def test_a_request_that_no_minute_has_room_for_is_told_so(clock: HandClock) -> None:
    refusal = refused(KeyLimits(10, 100, clock), tokens=101)
    assert "Request too large" in str(refusal.body["error"]["message"])
    assert refusal.headers == {}


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0ms"),
        (0.006, "6ms"),
        (0.0201, "21ms"),
        (1.5, "1.5s"),
        (20, "20s"),
        (360, "6m0s"),
        (3600, "1h0m0s"),
    ],
)
def test_durations_are_written_as_the_api_writes_them(seconds: float, told: str) -> None:
    assert duration(seconds) == told

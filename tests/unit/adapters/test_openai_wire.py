"""Headers of rate limits are read as they are written, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.openai_wire import duration_s, rate_headers
from server.ports.ai import RateHeaders


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360),
        ("20ms", 0.02),
        ("1.5s", 1.5),
        ("1h2m3s", 3723),
        ("1m30.951s", 90.951),
        ("7m12s", 432),
        ("30", 30),
        ("0s", 0),
        ("8.64s", 8.64),
        ("2m", 120),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", [None, "", "soon", "-5s", "5 s", "1s2m", "Wed, 21 Oct 2026 07:28:00 GMT", "5x"]
)
def test_what_is_no_duration_is_none(text: str | None) -> None:
    assert duration_s(text) is None


@given(
    st.dictionaries(st.sampled_from(["x-ratelimit-limit-requests", "x-ratelimit-reset-tokens"]), st.text())
)
def test_no_header_breaks_an_answer(headers: dict[str, str]) -> None:
    told = rate_headers(headers)
    assert told is None or told != RateHeaders()


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59_999))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int, milliseconds: int) -> None:
    text = f"{hours}h{minutes}m{milliseconds / 1000}s"
    assert duration_s(text) == pytest.approx(hours * 3600 + minutes * 60 + milliseconds / 1000)


def test_servers_without_limits_tell_none() -> None:
    assert rate_headers({"content-type": "text/event-stream"}) is None


def test_retry_after_counts_with_a_429_alone() -> None:
    assert rate_headers({"retry-after": "2"}, 503) is None
    assert rate_headers({"retry-after": "2"}, 429) == RateHeaders(remaining_requests=0, reset_requests_s=2)

"""Four processes that ask without pause share one provider's limit: all of it, evenly, and never more."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.adapters.system_clock import SystemClock
from server.domain.pacing import BURST_SHARE, STEADY_SHARE
from server.errors import ProviderUnavailable
from server.llm.limiter import RateLimiter
from server.llm.room import AHEAD_S
from server.ports.ai import ChatLine, LanguageModel, ModelRequest
from server.store.rate_buckets import RateBucketRows
from server.store.session import Database
from simulators.openai_client import start_openai_simulator
from tests.support.models import a_chain, a_link, an_openai_model
from tests.support.redis import redis_server

PROCESSES = 4
LIMIT = 1800.0
SECONDS = 4.0
A_SECOND = STEADY_SHARE * LIMIT / 60
BURST = BURST_SHARE * LIMIT


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "redis":
        with redis_server() as url:
            yield url
    else:
        template = request.getfixturevalue(request.param.replace("postgresql", "postgres") + "_template")
        with template.fresh() as url:
            yield url


def run_processes(url: str) -> list[list[float]]:
    """The moments at which each of the processes made its calls."""
    command = [sys.executable, "-m", "tests.support.rate_process", url, str(LIMIT), str(SECONDS)]
    with ExitStack() as running:
        processes = [
            running.enter_context(
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).parents[2],
                )
            )
            for _ in range(PROCESSES)
        ]
        for process in processes:
            # Those that hang are ended before they are waited for.
            running.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [json.loads(process.communicate(timeout=60)[0]) for process in processes]


def most_in(moments: list[float], window_s: float) -> int:
    """The most calls that any window of so many seconds holds."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_processes_share_the_limit_evenly_and_never_pass_it(shared_url: str) -> None:
    made = run_processes(shared_url)
    moments = sorted(moment for each in made for moment in each)
    for window_s in (0.5, 1.0, 2.0, SECONDS):
        # What holds for every window holds for the provider's minute, which is too long for a test.
        assert most_in(moments, window_s) <= BURST + A_SECOND * (window_s + AHEAD_S)
    ran_s = moments[-1] - moments[0]
    assert len(moments) >= 0.9 * (BURST + A_SECOND * ran_s)
    # What may go at once goes to whoever was there first; from then on they take turns.
    later = [sum(moment > moments[0] + 1 for moment in each) for each in made]
    assert min(later) >= 0.8 * sum(later) / PROCESSES


def test_a_whole_minute_stays_within_the_limit() -> None:
    """The bound above, for the provider's minute."""
    assert BURST + A_SECOND * (60 + AHEAD_S) <= 0.98 * LIMIT
    assert A_SECOND * 60 >= 0.9 * LIMIT


@pytest.mark.parametrize("is_told_before", [True, False], ids=["limits set", "limits learnt"])
async def test_a_crowd_that_comes_at_once_is_never_refused_by_the_provider(
    database: Database, is_told_before: bool
) -> None:
    with start_openai_simulator() as simulator:
        simulator.control(requests_per_minute=50, latency_first_token_ms=20)
        limiters = [
            RateLimiter(RateBucketRows(database, SystemClock()), 50 if is_told_before else 0, 0)
            for _ in range(2)
        ]
        chains = [
            a_chain(a_link(an_openai_model(simulator.base_url)), limiter=limiter) for limiter in limiters
        ]
        await asyncio.gather(*(chain.warm() for chain in chains))
        answers = await asyncio.gather(
            *(answer_of(chains[number % 2]) for number in range(100)), return_exceptions=True
        )
        for limiter in limiters:
            await asyncio.to_thread(limiter.close)
        for chain in chains:
            await chain.aclose()
        assert simulator.counts()["rate_limited"] == 0
        answered = [answer for answer in answers if isinstance(answer, str)]
        assert 2 <= len(answered) < 50
        assert all(isinstance(answer, str | ProviderUnavailable) for answer in answers)


async def answer_of(model: LanguageModel) -> str:
    """What it says within two seconds."""
    request = ModelRequest([ChatLine("user", "When is check-in?")], first_token_s=2, total_s=2)
    return "".join([event async for event in model.stream(request) if isinstance(event, str)])

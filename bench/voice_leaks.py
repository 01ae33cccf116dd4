"""``frontdesk bench voice --leaks``: what a realtime process still holds after many calls have ended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests
import uvloop
from sqlalchemy import func, select

from bench.figures import Figure
from bench.scratch import open_engine
from bench.voice_desk import PACE, Simulated, VoiceDesk, running_desk, simulated_providers
from bench.voice_leaks_calls import WAVE, ShortCall, call_all, known_utterances, model_rules, short_calls
from server.store.models import CallRow

# Connections are opened, pools and caches filled, memory laid out: not counted.
WARM_CALLS = 6 * WAVE
# Looked at until so many looks have seen the same; figures are published every five seconds.
_LOOK_S, _SAME_LOOKS, _SETTLE_S = 1.0, 7, 60.0
_MB = 1024 * 1024
# A process that lost 20 kB with each of 10,000 calls would have to be started again after as many.
RSS_KB_BUDGET = 20.0
# A pool begins another thread whenever more is done at once than ever before, and keeps it.
_POOLED = {"threads": WAVE}
_HTTP_TIMEOUT_S = 10.0
# The same is asked again and again, and each time of the model.
_SETTINGS = {"ANSWER_CACHE_S": "0"}
_GAUGES = ("frontdesk_tasks", "frontdesk_calls")


@dataclass(frozen=True, slots=True)
class Held:
    """What is open at one moment. ``streams`` are of gRPC, as the simulated providers count them."""

    sockets: int
    pipes: int
    files: int
    threads: int
    tasks: int
    calls: int
    streams: int
    rss_mb: float

    @property
    def counts(self) -> tuple[int, ...]:
        """All that can be counted exactly."""
        return (self.sockets, self.pipes, self.files, self.threads, self.tasks, self.calls, self.streams)


def after_calls(calls: int, seed: int) -> Sequence[Figure]:
    """So many short calls, ended in every way; what is held before and after."""
    warm, counted = short_calls(WARM_CALLS, seed), short_calls(calls, seed)
    with simulated_providers() as providers, running_desk("sqlite", providers, _SETTINGS) as desk:
        _place(desk, providers, warm, "calls that do not count")
        before = _settled(desk, providers)
        began = time.monotonic()
        stuck = _place(desk, providers, counted, "calls")
        seconds = time.monotonic() - began
        after = _settled(desk, providers)
        return list(figures(calls, before, after, stuck, seconds, _without_end(desk)))


def figures(
    calls: int, before: Held, after: Held, stuck: int, seconds: float, without_end: int
) -> Iterator[Figure]:
    """What is held after *calls* calls that was not before; all of it has to be nothing.

    Args:
        without_end: how many calls have none in the log.
    """
    setting = f"leaks: {calls} calls, {WAVE} at once"

    def figure(metric: str, value: float, unit: str, budget: float | None = None) -> Figure:
        return Figure("voice", setting, metric, value, unit, budget=budget)

    yield figure("calls", calls, "calls")
    yield figure("took", seconds, "s")
    yield figure("calls stuck", stuck, "calls", 0)
    yield figure("calls without an end in the log", without_end, "calls", 0)
    yield figure("calls open in the process", after.calls, "calls", 0)
    yield figure("streams open at the providers", after.streams, "streams", 0)
    for name in ("sockets", "pipes", "files", "threads", "tasks"):
        before_, budget = getattr(before, name), _POOLED.get(name, 0)
        yield figure(f"{name} more than before ({before_})", getattr(after, name) - before_, name, budget)
    grown_kb = (after.rss_mb - before.rss_mb) * 1024 / calls
    yield figure(f"memory for each call (of {before.rss_mb:.0f} MB)", grown_kb, "kB", RSS_KB_BUDGET)


def _place(desk: VoiceDesk, providers: Simulated, calls: Sequence[ShortCall], label: str) -> int:
    """Place *calls*; returns how many were stuck."""
    providers.speech.control(known=known_utterances(calls), final_ms=PACE.final_ms)
    providers.voice.control(first_ms=PACE.voice_ms, speed=4)
    providers.model.control(
        rules=model_rules(calls),
        latency_first_token_ms=PACE.first_token_ms,
        tokens_per_second=1000 / PACE.token_ms,
    )
    return uvloop.run(call_all(calls, desk.account, desk.routes, label))


def _settled(desk: VoiceDesk, providers: Simulated) -> Held:
    """What is held once that does not change any more; what does not come to rest, in the end."""
    latest, same = _held(desk, providers), 0
    until = time.monotonic() + _SETTLE_S
    while same < _SAME_LOOKS and time.monotonic() < until:
        time.sleep(_LOOK_S)
        now = _held(desk, providers)
        same = same + 1 if now.counts == latest.counts else 0
        latest = now
    return latest


def _held(desk: VoiceDesk, providers: Simulated) -> Held:
    """At this moment."""
    process = psutil.Process(desk.realtime.pid)
    kinds = list(_descriptors(process.pid))
    tasks, calls = _gauges(desk)
    return Held(
        sockets=kinds.count("socket"),
        pipes=kinds.count("pipe") + kinds.count("anon_inode"),
        files=kinds.count("file"),
        threads=process.num_threads(),
        tasks=tasks,
        calls=calls,
        streams=providers.speech.counts()["under_way"] + providers.voice.counts()["under_way"],
        rss_mb=process.memory_info().rss / _MB,
    )


def _descriptors(pid: int) -> Iterator[str]:
    """The kind of each open descriptor."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        # The one of a moment ago may be closed.
        with suppress(OSError):
            kind = str(descriptor.readlink()).partition(":")[0]
            yield kind if kind in ("socket", "pipe", "anon_inode") else "file"


def _gauges(desk: VoiceDesk) -> list[int]:
    """Those of `_GAUGES`, of the realtime process where there is one of each."""
    from prometheus_client.parser import text_string_to_metric_families

    answer = requests.get(
        f"{desk.desk.urls['web']}/metrics", headers=desk.desk.headers, timeout=_HTTP_TIMEOUT_S
    )
    answer.raise_for_status()
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    return [
        round(
            sum(
                one.value
                for one in samples
                if one.name == name and one.labels.get("process", "realtime") == "realtime"
            )
        )
        for name in _GAUGES
    ]


def _without_end(desk: VoiceDesk) -> int:
    waiting = select(func.count()).select_from(CallRow).where(CallRow.ended_at.is_(None))
    with open_engine(desk.database) as engine, engine.connect() as connection:
        return int(connection.execute(waiting).scalar_one())

"""How quick the desk is, in short: for ``/api/performance``, ``/ws/performance`` and ``/api/v1/metrics``."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psutil

from server.domain.model_calls import CallOutcome, ModelCall
from server.errors import StoreUnavailable
from server.observability import metrics
from server.observability.alert_file import to_json
from server.observability.figures import Figures
from server.observability.history import Recent
from server.observability.instruments import Counter, Histogram
from server.observability.watch import Watch
from server.ports.clock import Clock
from server.ports.performance import PerformanceStore, TurnTimes

SPAN = timedelta(hours=1)
SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a snapshot is taken from."""

    store: PerformanceStore
    watch: Watch
    clock: Clock


def performance_snapshot(sources: Sources, tenant_id: str) -> dict[str, Any]:
    """How quick the desk is now, as JSON. Blocks: two short reads of the database.

    ``models`` and ``turns`` are those of the tenant in the last hour, and None while the database does not
    answer; the rest is of all processes together and names no tenant.
    """
    now = sources.clock.now()
    figures = sources.watch.recent().total
    return {
        "at": now.isoformat(),
        "system": _system(figures),
        "pools": _pools(figures),
        "caches": _caches(figures),
        "queues": {
            name: figures.total(metrics.QUEUE_DEPTH, queue=name)
            for name in figures.values(metrics.QUEUE_DEPTH, "queue")
        },
        **_from_store(sources.store, tenant_id, now - SPAN),
        "alerts": [to_json(alert) for alert in sources.watch.alerts()],
    }


def metrics_summary(watch: Watch) -> dict[str, Any]:
    """The figures of ``/metrics`` in short: totals, rates a minute and percentiles of the last minutes."""
    recent = watch.recent()
    return {
        "window_s": round(recent.seconds, 1),
        "totals": _counts(recent.total),
        "rates_per_minute": _rates(recent),
        "percentiles_ms": {name: _estimated_ms(recent.window, metric) for name, metric in _TIMED.items()},
        "alerts": [to_json(alert) for alert in watch.alerts()],
    }


# What is counted, and by which labels it is told apart.
_COUNTED: Mapping[str, tuple[Counter, str]] = {
    "messages": (metrics.MESSAGES, "verdict"),
    "turns": (metrics.TURNS, "outcome"),
    "replies": (metrics.TURNS, "source"),
    "handovers": (metrics.HANDOVERS, "reason"),
    "gate_refusals": (metrics.GATE_REFUSALS, "reason"),
    "model_calls": (metrics.MODEL_CALLS, "outcome"),
    "model_tokens": (metrics.MODEL_TOKENS, "kind"),
    "model_cost_dollars": (metrics.MODEL_COST, "model"),
    "cache_lookups": (metrics.CACHE_LOOKUPS, "result"),
    "outbox": (metrics.OUTBOX, "state"),
    "http_requests": (metrics.HTTP_REQUESTS, "status"),
}
_TIMED: Mapping[str, Histogram] = {
    "reply": metrics.REPLY_SECONDS,
    "first_token": metrics.FIRST_TOKEN_SECONDS,
    "model_first_token": metrics.MODEL_FIRST_TOKEN_SECONDS,
    "model": metrics.MODEL_SECONDS,
    "limiter_wait": metrics.LIMITER_WAIT_SECONDS,
    "send": metrics.SEND_SECONDS,
    "http": metrics.HTTP_SECONDS,
}


def _counts(figures: Figures) -> dict[str, Any]:
    counts: dict[str, Any] = {
        name: {
            value: round(figures.total(metric, **{label: value}), 6)
            for value in figures.values(metric, label)
        }
        for name, (metric, label) in _COUNTED.items()
    }
    counts["database_errors"] = figures.total(metrics.DATABASE_ERRORS)
    counts["slow_replies"] = figures.total(metrics.SLOW_REPLIES)
    return counts


def _rates(recent: Recent) -> dict[str, float]:
    minutes = recent.seconds / 60
    if not minutes:
        return {}
    counted = {name: metric for name, (metric, _) in _COUNTED.items()}
    return {name: round(recent.window.total(metric) / minutes, 3) for name, metric in counted.items()}


def _estimated_ms(window: Figures, metric: Histogram) -> dict[str, float | None]:
    found = {name: window.percentile(metric, share) for name, share in SHARES.items()}
    return {name: None if value is None else round(value * 1000, 2) for name, value in found.items()}


def _from_store(store: PerformanceStore, tenant_id: str, since: datetime) -> dict[str, Any]:
    try:
        calls, turns = store.recent_calls(tenant_id, since), store.recent_turns(tenant_id, since)
    except StoreUnavailable:
        return {"models": None, "turns": None}
    return {"models": _models(calls), "turns": _turns(turns)}


def _models(calls: Sequence[ModelCall]) -> list[dict[str, Any]]:
    by_model: dict[tuple[str, str], list[ModelCall]] = {}
    for call in calls:
        by_model.setdefault((call.provider, call.model), []).append(call)
    return [_model(provider, model, group) for (provider, model), group in sorted(by_model.items())]


def _model(provider: str, model: str, calls: Sequence[ModelCall]) -> dict[str, Any]:
    # What we ended ourselves is neither a success nor a failure of the model's.
    ended = [call for call in calls if call.outcome is not CallOutcome.DROPPED]
    answered = [call for call in ended if call.outcome is CallOutcome.ANSWERED]
    return {
        "provider": provider,
        "model": model,
        "calls": len(calls),
        "success_share": round(len(answered) / len(ended), 4) if ended else None,
        "timeouts": sum(call.outcome is CallOutcome.TIMED_OUT for call in calls),
        "first_token_ms": percentiles(
            call.first_token_ms for call in calls if call.first_token_ms is not None
        ),
        "total_ms": percentiles(call.total_ms for call in answered),
        "last_used": max(call.started_at for call in calls).isoformat(),
    }


def _turns(turns: Sequence[TurnTimes]) -> dict[str, Any]:
    by_step: dict[str, list[float]] = {}
    by_source: dict[str, int] = {}
    for turn in turns:
        by_source[turn.source] = by_source.get(turn.source, 0) + 1
        for step, reached_ms in turn.steps_ms.items():
            by_step.setdefault(step, []).append(reached_ms)
    return {
        "count": len(turns),
        "by_source": by_source,
        "steps_ms": {step: percentiles(reached) for step, reached in by_step.items()},
    }


def percentiles(values: Iterable[float]) -> dict[str, float] | None:
    """The values that 50, 95 and 99 % are not above; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    # The nearest rank: a value that was measured, never one between two.
    return {
        name: round(ordered[max(1, math.ceil(share * len(ordered))) - 1], 3) for name, share in SHARES.items()
    }


def _caches(figures: Figures) -> dict[str, dict[str, float | None]]:
    names = {*figures.values(metrics.CACHE_LOOKUPS, "cache"), *figures.values(metrics.CACHE_ENTRIES, "cache")}
    return {name: _cache(figures, name) for name in sorted(names)}


def _cache(figures: Figures, name: str) -> dict[str, float | None]:
    hits = figures.total(metrics.CACHE_LOOKUPS, cache=name, result="hit")
    misses = figures.total(metrics.CACHE_LOOKUPS, cache=name, result="miss")
    age_s = figures.mean(metrics.CACHE_AGE_SECONDS, cache=name)
    return {
        "hits": hits,
        "misses": misses,
        "hit_rate": round(hits / (hits + misses), 4) if hits + misses else None,
        "mean_age_s": None if age_s is None else round(age_s, 3),
        "entries": figures.total(metrics.CACHE_ENTRIES, cache=name),
    }


def _pools(figures: Figures) -> dict[str, dict[str, float]]:
    names = figures.values(metrics.POOL_CONNECTIONS, "pool")
    states = figures.values(metrics.POOL_CONNECTIONS, "state")
    return {
        name: {state: figures.total(metrics.POOL_CONNECTIONS, pool=name, state=state) for state in states}
        for name in names
    }


def _system(figures: Figures) -> dict[str, Any]:
    memory = psutil.virtual_memory()
    return {
        "cpus": os.cpu_count(),
        # Since it was asked last.
        "cpu_percent": psutil.cpu_percent(),
        "load_1m": round(os.getloadavg()[0], 2),
        "memory_bytes": memory.total,
        "memory_available_bytes": memory.available,
        "processes": {
            role: {
                "count": figures.total(metrics.PROCESSES, process=role),
                "cpu_seconds": round(figures.total(metrics.CPU_SECONDS, process=role), 2),
                "memory_bytes": figures.total(metrics.MEMORY_BYTES, process=role),
                "threads": figures.total(metrics.THREADS, process=role),
                "open_files": figures.total(metrics.OPEN_FILES, process=role),
                "event_loop_lag_ms": round(1000 * figures.worst(metrics.LOOP_LAG_SECONDS, process=role), 2),
            }
            for role in figures.values(metrics.PROCESSES, "process")
        },
    }

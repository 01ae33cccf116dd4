"""When operators must hear that something is wrong, and that it is over. Pure: figures in, changes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.observability import metrics
from server.observability.figures import Figures

# An alert ends when all has been well for so long.
CLEAR_AFTER = timedelta(seconds=60)
# A share is of something only from so many bad ones on: one may be chance.
LEAST_BAD = 2
LEAST_LOOKUPS = 200

ERROR_SHARE = 0.05
TIMEOUT_SHARE = 0.01
HIT_SHARE = 0.10
LAG_S = 0.5
# Longer than one delay is shown (see `LoopLag`): what is loaded at the start holds the loop up once.
LAG_LASTS = timedelta(seconds=30)
UNDELIVERED_SHARE = 0.05
# How far below its limit a figure must fall to be well again; a hit rate: how far above.
WELL_AT = 0.5
HIT_SHARE_WELL = 0.15

NAMES = ("slow_reply", "error_rate", "ai_timeouts", "cache_hit_rate", "event_loop_lag", "outbox_failures")


@dataclass(frozen=True, slots=True)
class Reading:
    """How one thing is that an alert may be about. Neither bad nor well: an alert stays as it is."""

    name: str
    subject: str
    value: float
    limit: float
    is_bad: bool
    is_well: bool
    # So long it must be bad without a break.
    patience: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something is wrong. ``value`` and ``limit`` are what was found when it was raised."""

    name: str
    subject: str
    value: float
    limit: float
    since: datetime

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from other alerts."""
        return self.name, self.subject


@dataclass(frozen=True, slots=True)
class Change:
    """An alert was raised, or is over."""

    alert: Alert
    is_raised: bool
    at: datetime


class AlertBook:
    """Which alerts are raised. Each is told once when it begins and once when it is over."""

    def __init__(self, active: Iterable[Alert] = ()) -> None:
        self._active = {alert.key: alert for alert in active}
        self._bad_since: dict[tuple[str, str], datetime] = {}
        self._well_since: dict[tuple[str, str], datetime] = {}

    @property
    def active(self) -> Sequence[Alert]:
        """What is wrong now, the oldest first."""
        return sorted(self._active.values(), key=lambda alert: alert.since)

    def update(self, readings: Iterable[Reading], at: datetime) -> list[Change]:
        """Take in how things are *at* a moment; what is not read any more is well."""
        found = {(reading.name, reading.subject): reading for reading in readings}
        bad = [key for key, reading in found.items() if reading.is_bad and key not in self._active]
        well = [key for key in self._active if key not in found or found[key].is_well]
        self._bad_since = {key: self._bad_since.get(key, at) for key in bad}
        self._well_since = {key: self._well_since.get(key, at) for key in well}
        begun = [key for key, since in self._bad_since.items() if at - since >= found[key].patience]
        over = [key for key, since in self._well_since.items() if at - since >= CLEAR_AFTER]
        return [self._raise(found[key], at) for key in begun] + [self._clear(key, at) for key in over]

    def _raise(self, reading: Reading, at: datetime) -> Change:
        alert = Alert(reading.name, reading.subject, reading.value, reading.limit, at)
        self._active[alert.key] = alert
        return Change(alert, is_raised=True, at=at)

    def _clear(self, key: tuple[str, str], at: datetime) -> Change:
        del self._well_since[key]
        return Change(self._active.pop(key), is_raised=False, at=at)


def take_readings(window: Figures, now: Figures, slow_after_s: float) -> list[Reading]:
    """How things are.

    Args:
        window: what was counted in the last minutes.
        now: all figures of this moment, for what is not counted.
    """
    slow = window.total(metrics.SLOW_REPLIES)
    return [
        Reading("slow_reply", "", slow, slow_after_s, is_bad=slow > 0, is_well=slow == 0),
        _turn_errors(window),
        _http_errors(window),
        _timeouts(window),
        *(_hit_rate(window, cache) for cache in window.values(metrics.CACHE_LOOKUPS, "cache")),
        _lag(now),
        _undelivered(window),
    ]


def _turn_errors(window: Figures) -> Reading:
    failed = window.total(metrics.TURNS, outcome="failed")
    return _share("error_rate", "turns", failed, window.total(metrics.TURNS), ERROR_SHARE)


def _http_errors(window: Figures) -> Reading:
    statuses = window.values(metrics.HTTP_REQUESTS, "status")
    errors = sum(window.total(metrics.HTTP_REQUESTS, status=code) for code in statuses if code >= "500")
    return _share("error_rate", "http", errors, window.total(metrics.HTTP_REQUESTS), ERROR_SHARE)


def _timeouts(window: Figures) -> Reading:
    # Calls that we ended ourselves say nothing of the model.
    calls = window.total(metrics.MODEL_CALLS) - window.total(metrics.MODEL_CALLS, outcome="dropped")
    late = window.total(metrics.MODEL_CALLS, outcome="timed_out")
    return _share("ai_timeouts", "", late, calls, TIMEOUT_SHARE)


def _undelivered(window: Figures) -> Reading:
    sent = window.total(metrics.OUTBOX, state="sent")
    lost = window.total(metrics.OUTBOX, state="failed")
    return _share("outbox_failures", "", lost, sent + lost, UNDELIVERED_SHARE)


def _share(name: str, subject: str, bad: float, whole: float, limit: float) -> Reading:
    value = bad / whole if whole else 0.0
    is_bad = bad >= LEAST_BAD and value >= limit
    return Reading(name, subject, value, limit, is_bad=is_bad, is_well=value < limit * WELL_AT)


def _hit_rate(window: Figures, cache: str) -> Reading:
    hits = window.total(metrics.CACHE_LOOKUPS, cache=cache, result="hit")
    lookups = window.total(metrics.CACHE_LOOKUPS, cache=cache)
    is_enough = lookups >= LEAST_LOOKUPS
    value = hits / lookups if lookups else 0.0
    return Reading(
        "cache_hit_rate", cache, value, HIT_SHARE,
        is_bad=is_enough and value < HIT_SHARE, is_well=not is_enough or value >= HIT_SHARE_WELL,
    )  # fmt: skip


def _lag(now: Figures) -> Reading:
    lag_s = now.worst(metrics.LOOP_LAG_SECONDS)
    return Reading(
        "event_loop_lag",
        "",
        lag_s,
        LAG_S,
        is_bad=lag_s >= LAG_S,
        is_well=lag_s < LAG_S * WELL_AT,
        patience=LAG_LASTS,
    )

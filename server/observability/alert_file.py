"""What is wrong, and what operators have not heard of it yet: on disk, for other processes and the next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from server.observability.alerts import Alert, Change


@dataclass(frozen=True, slots=True)
class AlertState:
    """``untold`` are events as `to_event` makes them, the oldest first."""

    active: Sequence[Alert] = field(default_factory=list)
    untold: Sequence[Mapping[str, Any]] = field(default_factory=list)


class AlertFile:
    """One process writes it, all read it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> AlertState:
        """What was written last; nothing, if that is no more or cannot be read."""
        try:
            state = json.loads(self._path.read_text(encoding="utf-8"))
            untold = [event for event in state["untold"] if idempotency_key(event)]
            return AlertState([_to_alert(entry) for entry in state["active"]], untold)
        except (OSError, ValueError, KeyError, TypeError):
            return AlertState()

    def write(self, state: AlertState) -> None:
        """Put *state* in place of what was there, whole."""
        content = {"active": [to_json(alert) for alert in state.active], "untold": list(state.untold)}
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(self._path)


def to_json(alert: Alert) -> dict[str, Any]:
    """An alert as it is shown and kept."""
    return asdict(alert) | {"since": alert.since.isoformat()}


def to_event(change: Change) -> dict[str, Any]:
    """A change as operators are told of it."""
    alert = change.alert
    return {
        "event": "alert_raised" if change.is_raised else "alert_cleared",
        "alert": alert.name,
        "subject": alert.subject,
        "value": round(alert.value, 4),
        "limit": alert.limit,
        "since": alert.since.isoformat(),
        "at": change.at.isoformat(),
    }


def idempotency_key(event: Mapping[str, Any]) -> str:
    """What stays the same when an event is told again."""
    return "-".join(str(event[name]) for name in ("event", "alert", "subject", "since"))


def _to_alert(entry: Mapping[str, Any]) -> Alert:
    return Alert(**{**entry, "since": datetime.fromisoformat(entry["since"])})

"""Which news of a line is an alert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.lines import LineState, Unreadable
from server.outbox.alerts import LineWatch

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Told:
    """Keeps the ``AlertStore`` and ``WorkQueue`` ports: what would be told."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.woken: list[str] = []

    def begin_incident(self, tenant_id: str, line: LineState) -> Sequence[str]:
        self.news.append(f"down {line.state}")
        return [f"staff:{tenant_id}"]

    def end_incident(self, tenant_id: str, line: LineState) -> Sequence[str]:  # noqa: ARG002
        self.news.append("up")
        return []

    def report_unreadable(self, tenant_id: str, message: Unreadable) -> Sequence[str]:  # noqa: ARG002
        self.news.append(f"unreadable {message.message_id}")
        return []

    def put(self, key: str) -> None:
        self.woken.append(key)


def line(state: str, down_s: float | None, *, is_linked: bool = True) -> LineState:
    since = None if down_s is None else NOW - timedelta(seconds=down_s)
    return LineState(state, is_linked, since, "", NOW)


@pytest.mark.parametrize(
    ("news", "told"),
    [
        (line("deaf", 30), []),
        (line("deaf", 120), ["down deaf"]),
        (line("connecting", 121), ["down connecting"]),
        (line("disconnected", 500), ["down disconnected"]),
        (line("logged_out", 0, is_linked=False), ["down logged_out"]),
        (line("blocked", 0), ["down blocked"]),
        (line("disconnected", 500, is_linked=False), []),
        (line("qr", 500, is_linked=False), []),
        (line("open", None), ["up"]),
    ],
)
def test_a_line_is_alarming_when_it_does_not_mend_by_itself(news: LineState, told: list[str]) -> None:
    store = Told()
    LineWatch(store, store, 120).observe("1", news)
    assert store.news == told
    assert store.woken == ["staff:1" for one in told if one.startswith("down")]

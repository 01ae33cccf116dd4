"""Which news of a line is an alert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.lines import LastReport, LineState, Unreadable
from server.outbox.alerts import LineWatch
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Told:
    """Keeps the ``AlertStore`` and ``WorkQueue`` ports: what would be told."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.woken: list[str] = []
        self.reports: dict[str, LastReport] = {}
        self.down_since: dict[str, datetime | None] = {}

    def record(self, tenant_id: str, line: LineState) -> None:
        self.reports[tenant_id] = LastReport(tenant_id, line.down_since, line.at)

    def last_reports(self) -> Sequence[LastReport]:
        return list(self.reports.values())

    def begin_incident(self, tenant_id: str, line: LineState) -> Sequence[str]:
        self.news.append(f"down {line.state}")
        self.down_since[tenant_id] = line.down_since
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
    LineWatch(store, store, FakeClock(NOW), 120).observe("1", news)
    assert store.news == told
    assert store.woken == ["staff:1" for one in told if one.startswith("down")]


def test_a_line_of_which_nothing_is_heard_any_more_is_down_since_the_last_that_was_heard() -> None:
    store, clock = Told(), FakeClock(NOW)
    watch = LineWatch(store, store, clock, 120)
    watch.observe("1", line("open", None))
    watch.observe("2", line("connecting", 60))
    for _ in range(6):
        watch.look()
        clock.advance(20)
    assert store.news == ["up"]
    watch.look()
    assert store.news == ["up", "down silent", "down silent"]
    assert store.down_since == {"1": NOW, "2": NOW - timedelta(seconds=60)}
    assert store.woken == ["staff:1", "staff:2"]

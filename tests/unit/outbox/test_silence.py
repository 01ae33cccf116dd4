"""When nothing is heard of a line for too long, and when that is nobody's fault."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from server.domain.lines import LastReport
from server.errors import StoreUnavailable
from server.outbox.silence import INTERRUPTED_S, LOOK_EVERY_S, SHORTEST_S, Silence
from tests.fakes.clock import FakeClock

PATIENCE_S = 120


class Reports:
    """What is kept of each line, and a process that looks at it as the sweep does."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self.clock = FakeClock()
        self.kept: dict[str, LastReport] = {}
        self.is_store_down = False
        self.reads = 0
        self.silence = Silence(self.last_reports, self.clock, patience_s)

    def last_reports(self) -> Sequence[LastReport]:
        self.reads += 1
        if self.is_store_down:
            raise StoreUnavailable("the database does not answer")
        return list(self.kept.values())

    def hear(self, tenant_id: str, ago_s: float = 0) -> None:
        at = self.clock.now() - timedelta(seconds=ago_s)
        self.kept[tenant_id] = LastReport(tenant_id, None, at)

    def watch(self, seconds: float, step_s: float = LOOK_EVERY_S) -> list[str]:
        """Look for so long; returns who is silent at the end."""
        silent = self.silence.find()
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            silent = self.silence.find()
        return [report.tenant_id for report in silent]


@pytest.fixture
def reports() -> Reports:
    return Reports()


def test_a_line_is_silent_once_patience_is_over_and_until_it_is_heard(reports: Reports) -> None:
    reports.hear("1")
    assert reports.watch(PATIENCE_S - LOOK_EVERY_S) == []
    assert reports.watch(LOOK_EVERY_S) == ["1"]
    assert reports.watch(LOOK_EVERY_S) == ["1"]
    reports.hear("1")
    assert reports.watch(LOOK_EVERY_S) == []


def test_who_tells_every_half_minute_is_never_silent(reports: Reports) -> None:
    for _ in range(20):
        reports.hear("1")
        assert reports.watch(30) == []


def test_each_line_has_its_own_silence(reports: Reports) -> None:
    for tenant_id in ("1", "2"):
        reports.hear(tenant_id)
    for _ in range(3):
        assert reports.watch(30) == []
        reports.hear("2")
    assert reports.watch(30) == ["1"]


def test_a_process_that_has_just_started_holds_no_old_report_against_anybody(reports: Reports) -> None:
    reports.hear("1", ago_s=86_400)
    assert reports.watch(PATIENCE_S - LOOK_EVERY_S) == []
    assert reports.watch(LOOK_EVERY_S) == ["1"]


def test_a_number_that_was_unlinked_is_not_missed(reports: Reports) -> None:
    reports.hear("1")
    reports.watch(PATIENCE_S - LOOK_EVERY_S)
    del reports.kept["1"]
    assert reports.watch(PATIENCE_S) == []


def test_a_process_that_stood_still_starts_to_listen_anew(reports: Reports) -> None:
    reports.hear("1")
    reports.watch(PATIENCE_S - LOOK_EVERY_S)
    reports.clock.advance(INTERRUPTED_S + 1)
    assert reports.watch(PATIENCE_S - LOOK_EVERY_S) == []
    assert reports.watch(LOOK_EVERY_S) == ["1"]


def test_while_the_database_was_away_nobody_could_be_heard(reports: Reports) -> None:
    reports.hear("1")
    reports.watch(PATIENCE_S - LOOK_EVERY_S)
    reports.is_store_down = True
    for _ in range(5):
        reports.clock.advance(LOOK_EVERY_S)
        with pytest.raises(StoreUnavailable):
            reports.silence.find()
    reports.is_store_down = False
    assert reports.watch(PATIENCE_S - LOOK_EVERY_S) == []
    assert reports.watch(LOOK_EVERY_S) == ["1"]


def test_a_short_outage_of_the_database_hides_no_silence(reports: Reports) -> None:
    reports.hear("1")
    reports.watch(PATIENCE_S - 2 * LOOK_EVERY_S)
    reports.is_store_down = True
    reports.clock.advance(LOOK_EVERY_S)
    with pytest.raises(StoreUnavailable):
        reports.silence.find()
    reports.is_store_down = False
    assert reports.watch(LOOK_EVERY_S) == ["1"]


def test_the_half_minute_between_two_reports_is_no_silence_however_impatient_one_is() -> None:
    reports = Reports(patience_s=0)
    reports.hear("1")
    assert reports.watch(SHORTEST_S - LOOK_EVERY_S) == []
    assert reports.watch(LOOK_EVERY_S) == ["1"]


def test_a_sweep_each_second_reads_the_database_every_ten(reports: Reports) -> None:
    reports.hear("1")
    reports.watch(60, step_s=1)
    assert reports.reads == 1 + 60 / LOOK_EVERY_S


def test_clocks_of_other_machines_do_not_matter(reports: Reports) -> None:
    for ago_s in (3600, -3600, 7200, 0):
        reports.hear("1", ago_s)
        assert reports.watch(60) == []

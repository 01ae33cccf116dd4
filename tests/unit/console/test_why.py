"""Where the time of a turn went, and what its sources say now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.console.why import CHART_WIDTH, bars, sources
from server.domain.knowledge import Citation, Document

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
CITED = [Citation("in", "Check-in", 0.9)]


def document(changed_at: datetime | None) -> dict[str, Document]:
    return {"in": Document("in", "Check-in", "From 15:00.", "en", changed_at=changed_at)}


def test_each_step_begins_where_the_one_before_has_ended() -> None:
    found = bars({"sent": 1000, "queued": 100, "committed": 600})
    assert [(bar.name, bar.start_ms, bar.end_ms) for bar in found] == [
        ("queued", 0, 100),
        ("committed", 100, 600),
        ("sent", 600, 1000),
    ]
    assert [(bar.x, bar.width) for bar in found] == [(0, 100), (100, 500), (600, 400)]


@pytest.mark.parametrize(
    "moments",
    [
        {},
        {"queued": 0.0},
        {"queued": 0, "gate": 0.001, "sent": 90_000},
        {"committed": 500, "sent": 1000, "read": 36_000_000},
        {"read": 100},
    ],
)
def test_every_bar_is_seen_and_none_leaves_the_chart(moments: dict[str, float]) -> None:
    found = bars(moments)
    assert len(found) == len(moments)
    for bar in found:
        assert bar.width > 0
        assert 0 <= bar.x <= bar.x + bar.width <= CHART_WIDTH


def test_a_guest_who_reads_late_leaves_the_other_bars_their_room() -> None:
    sent = next(
        bar for bar in bars({"committed": 500, "sent": 1000, "read": 36_000_000}) if bar.name == "sent"
    )
    assert sent.width == CHART_WIDTH / 2


@pytest.mark.parametrize(
    ("changed_at", "is_changed"),
    [(None, False), (AT - timedelta(days=1), False), (AT, False), (AT + timedelta(seconds=1), True)],
)
def test_a_document_that_has_changed_since_says_so(changed_at: datetime | None, is_changed: bool) -> None:
    (source,) = sources(CITED, AT, document(changed_at))
    assert (source.words, source.is_changed) == ("From 15:00.", is_changed)


def test_a_document_that_is_gone_keeps_its_title_and_has_no_words() -> None:
    (source,) = sources(CITED, AT, {})
    assert (source.title, source.words, source.is_changed) == ("Check-in", None, False)

"""Every metric and every alert stands in docs/monitoring.md with its labels, and nothing else does."""

from __future__ import annotations

import re
from pathlib import Path

from server.observability import alerts, metrics
from server.observability.instruments import Counter, Gauge, Histogram

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "monitoring.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its two first lines."""
    _, _, below = PAGE.partition(f"\n## {heading}\n")
    section, _, _ = below.partition("\n## ")
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_tells_of_every_metric_and_of_no_other() -> None:
    told = {name.strip("`"): re.findall(r"`(\w+)`", labels) for name, labels, _ in rows("Metrics")}
    assert told == {name: list(metric.labels) for name, metric in metrics.all_metrics().items()}


def test_the_page_tells_of_every_alert_and_of_no_other() -> None:
    assert [name.strip("`") for name, _, _ in rows("Alerts")] == list(alerts.NAMES)


def test_what_the_page_asks_prometheus_is_there_to_be_asked() -> None:
    asked = set(re.findall(r"frontdesk_\w+?(?=_bucket\b|[\[{`]|\b)", PAGE))
    assert asked <= set(metrics.all_metrics())


def test_metrics_are_named_as_prometheus_wants_it() -> None:
    for name, metric in metrics.all_metrics().items():
        assert re.fullmatch(r"frontdesk_[a-z_]+", name)
        assert name.endswith("_total") == isinstance(metric, Counter)
        assert isinstance(metric, Counter | Gauge) or (
            isinstance(metric, Histogram) and name.endswith("_seconds")
        )
        assert metric.help_text.endswith(".")

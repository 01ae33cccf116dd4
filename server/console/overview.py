"""Today at a glance, and the morning report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_date
from flask import Blueprint, request

from server.console.auth import current_member
from server.console.display import duration
from server.console.overview_plots import Plot, answers_plot, times_plot
from server.console.pages import Pages
from server.console.translations import gettext, ngettext, page_language
from server.domain.reports import (
    BusinessDay,
    DayFigures,
    DayTraffic,
    HourFigures,
    LineNow,
    business_day_of,
    read_day,
)
from server.domain.spending import dollars
from server.store.reports import Reports

TREND_DAYS = 14
# So many of those who wait are on the overview; the list of conversations has all.
WAITING_SHOWN = 8
# The sidecar tells of its number every half minute.
_SILENT_AFTER = timedelta(minutes=2)
_HOURS = ("00", "06", "12", "18", "24")


def add_overview(blueprint: Blueprint, pages: Pages, reports: Reports) -> None:
    """Add the two pages."""

    @blueprint.get("/overview")
    def show_overview() -> str:
        tenant_id = current_member().tenant_id
        today = reports.today(tenant_id)
        figures, now = reports.figures(tenant_id, today), reports.now(tenant_id)
        trend = reports.trend(tenant_id, [today.shifted(number) for number in range(1 - TREND_DAYS, 1)])
        return pages.render(
            "overview.html",
            figures=figures,
            now=now,
            people=now.waiting[:WAITING_SHOWN],
            line=_line_words(now.line, now.at),
            first_steps=reports.first_steps(tenant_id),
            by_hour=_by_hour(figures),
            quickness=_quickness(figures),
            by_day=_by_day(trend),
            trend=trend,
            **_WORDS,
        )

    @blueprint.get("/report")
    def show_report() -> str:
        tenant_id = current_member().tenant_id
        today = reports.today(tenant_id)
        day = read_day(request.args.get("day", ""), today)
        report = reports.report(tenant_id, day)
        return pages.render(
            "report.html",
            report=report,
            figures=report.figures,
            now=report.now,
            by_hour=_by_hour(report.figures),
            earlier=day.shifted(-1).date,
            later=day.shifted(1).date if day.date < today.date else None,
            is_over=day.date < today.date,
            **_WORDS,
        )


@dataclass(frozen=True, slots=True)
class LineWords:
    """How the WhatsApp number is; ``since`` is when that began, where it is known and matters."""

    words: str
    is_good: bool
    since: datetime | None = None


def _line_words(line: LineNow | None, now: datetime) -> LineWords:
    if line is None or not line.is_linked:
        return LineWords(gettext("Not linked"), False)
    if now - line.reported_at > _SILENT_AFTER:
        return LineWords(gettext("Nothing is heard of it"), False, line.reported_at)
    if line.down_since is not None:
        return LineWords(gettext("Down"), False, line.down_since)
    return LineWords(gettext("Works"), True)


def _by_hour(figures: DayFigures) -> Plot:
    traffic = [hour.traffic for hour in figures.hours]
    told = [
        gettext("{hours}: the desk {desk}, people {staff}").format(
            hours=hour_words(hour), desk=hour.traffic.desk, staff=hour.traffic.staff
        )
        for hour in figures.hours
    ]
    busiest = max(figures.hours, key=lambda hour: hour.traffic.answers)
    summary = gettext("No answers.")
    if busiest.traffic.answers:
        summary = gettext("{count} answers; most of them, {most}, in the hour {hours}.").format(
            count=figures.traffic.answers, most=busiest.traffic.answers, hours=hour_words(busiest)
        )
    return answers_plot(traffic, told, _HOURS, summary)


def _quickness(figures: DayFigures) -> Plot:
    told = [
        f"{hour_words(hour)}: {'–' if hour.median_s is None else seconds(hour.median_s)}"
        for hour in figures.hours
    ]
    slowest = max(figures.hours, key=lambda hour: hour.median_s or 0.0)
    summary = gettext("No answers.")
    if slowest.median_s is not None:
        summary = gettext("The longest, {time}, in the hour {hours}.").format(
            time=seconds(slowest.median_s), hours=hour_words(slowest)
        )
    return times_plot([hour.median_s for hour in figures.hours], told, _HOURS, summary)


def _by_day(trend: Sequence[DayTraffic]) -> Plot:
    told = [
        gettext("{day}: the desk {desk}, people {staff}").format(
            day=day_words(one.day), desk=one.traffic.desk, staff=one.traffic.staff
        )
        for one in trend
    ]
    busiest = max(trend, key=lambda one: one.traffic.answers)
    summary = gettext("No answers.")
    if busiest.traffic.answers:
        summary = gettext("Most answers, {most}, on {day}.").format(
            most=busiest.traffic.answers, day=day_words(busiest.day)
        )
    ends = [day_words(trend[0].day), day_words(trend[-1].day)]
    return answers_plot([one.traffic for one in trend], told, ends, summary)


def hour_words(hour: HourFigures) -> str:
    """``09–10``."""
    return f"{hour.hour:02d}–{hour.hour + 1:02d}"


def day_words(day: BusinessDay) -> str:
    """``20 Nov``."""
    return format_date(day.date, gettext("d MMM"), locale=page_language())


def long_day_words(day: BusinessDay) -> str:
    """``Friday 20 November 2026``."""
    return format_date(day.date, gettext("EEEE d MMMM y"), locale=page_language())


def moment_words(at: datetime, day: BusinessDay) -> str:
    """``09:05`` on that day, ``20 Nov, 09:05`` on others: what is printed is read later."""
    clock = f"{at.astimezone(day.zone):%H:%M}"
    its_day = business_day_of(at, day.zone)
    return clock if its_day == day else f"{day_words(its_day)}, {clock}"


def seconds(span: float) -> str:
    """As exact as people want it."""
    return duration(span * 1000)


def waited(since: datetime, now: datetime) -> str:
    """How long somebody has waited: minutes, hours or days."""
    minutes = max(0, (now - since) // timedelta(minutes=1))
    if minutes < 1:
        return gettext("less than a minute")
    if minutes < 60:
        return gettext("{count} min").format(count=minutes)
    if minutes < 48 * 60:
        return gettext("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)
    days = minutes // (24 * 60)
    return ngettext("%(num)s day", "%(num)s days", days) % {"num": days}


def percent(share: float) -> str:
    """``82 %``."""
    return f"{round(share * 100)} %"


def number(count: int) -> str:
    """``12,345``."""
    return f"{count:,}"


# What templates say numbers and times with.
_WORDS: Mapping[str, object] = {
    "day_words": day_words,
    "dollars": dollars,
    "hour_words": hour_words,
    "long_day_words": long_day_words,
    "moment_words": moment_words,
    "number": number,
    "percent": percent,
    "seconds": seconds,
    "waited": waited,
}

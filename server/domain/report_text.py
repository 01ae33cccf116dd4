"""The morning report in plain words, for an e-mail and a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from server.domain.reports import (
    AnswerTimes,
    Cost,
    DayFigures,
    MissedCall,
    MorningReport,
    Promise,
    PromiseState,
)
from server.domain.spending import dollars
from server.domain.views import GuestView

# Longer lists and words are looked at in the console.
_LISTED = 25
_LONGEST_QUOTE = 200

Item = TypeVar("Item")


class OfGuest(Protocol):
    """What a report lists: it stands in a conversation with somebody."""

    @property
    def conversation_id(self) -> int:
        """Which."""
        ...

    @property
    def guest(self) -> GuestView:
        """With whom."""
        ...


def report_text(report: MorningReport, name: str, console_url: str) -> str:
    """*report* of the business called *name*; the first line is its title. Ends without a line break.

    Args:
        console_url: where staff find the conversations, each of which is named by its link.
    """
    day = report.figures.day
    title = f"Morning report of {name}: {day.date:%A} {day.date.day} {day.date:%B %Y}"
    return "\n".join([title, *_Text(report, console_url).lines()])


class _Text:
    """The lines under the title."""

    def __init__(self, report: MorningReport, console_url: str) -> None:
        self._report = report
        self._day = report.figures.day
        self._console_url = console_url

    def lines(self) -> Iterator[str]:
        report, now = self._report, self._report.now
        promises = report.promises
        yield from _section(
            f"Promises that are open: {promises.open_count} of {promises.made}",
            promises.open,
            promises.open_count,
            self._open_promise,
        )
        yield from _section(
            f"Guests who wait for a person, at {self._at(now.at)}: {now.waiting_count}",
            now.waiting,
            now.waiting_count,
            lambda one: self._line(one, f"since {self._at(one.since)}", one.words),
        )
        yield from _section(
            f"Promises that were kept: {promises.settled_count}",
            promises.settled,
            promises.settled_count,
            self._kept_promise,
        )
        yield from _section(
            f"Questions that no document answers: {now.question_count}",
            now.questions,
            now.question_count,
            lambda one: self._line(one, self._at(one.asked_at), one.text),
        )
        yield from _section(
            f"Complaints: {report.complaint_count}",
            report.complaints,
            report.complaint_count,
            lambda one: self._line(one, self._at(one.at), one.words),
        )
        yield from self._calls()
        yield from _numbers(report.figures)

    def _calls(self) -> Iterator[str]:
        calls = self._report.figures.calls
        yield from _section(
            f"Calls: {calls.taken} taken ({seconds_in_words(calls.seconds)}), {calls.missed} missed",
            self._report.missed_calls,
            calls.missed,
            self._missed_call,
        )

    def _open_promise(self, promise: Promise) -> str:
        return self._line(promise, f"since {self._at(promise.made_at)}", promise.asked)

    def _kept_promise(self, promise: Promise) -> str:
        how = _SETTLED[promise.state] + (f" by {promise.settled_by}" if promise.settled_by else "")
        at = "" if promise.settled_at is None else f" {self._at(promise.settled_at)}"
        return self._line(promise, f"{self._at(promise.made_at)}, {how}{at}", promise.asked)

    def _missed_call(self, call: MissedCall) -> str:
        return self._line(call, f"missed {self._at(call.at)} ({call.because})", "")

    def _line(self, one: OfGuest, when: str, words: str) -> str:
        link = f"{self._console_url}/console/conversations/{one.conversation_id}"
        return f"{' '.join(one.guest.title.split())}, {when}{_quote(words)}\n  {link}"

    def _at(self, moment: datetime) -> str:
        """The hour alone if it was on the day."""
        there = moment.astimezone(self._day.zone)
        clock = f"{there:%H:%M}"
        return clock if there.date() == self._day.date else f"{there.day} {there:%b} {clock}"


_SETTLED = {
    PromiseState.WRITTEN: "written to",
    PromiseState.ANSWERED: "answered",
    PromiseState.DISMISSED: "dismissed",
}


def seconds_in_words(seconds: float) -> str:
    """As exact as people want it: ``4.2 s``, ``2 min 5 s``, ``3 h 9 min``."""
    if seconds < timedelta(minutes=1).total_seconds():
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _section(title: str, items: Sequence[Item], count: int, line: Callable[[Item], str]) -> Iterator[str]:
    yield ""
    yield title
    for item in items[:_LISTED]:
        yield f"- {line(item)}"
    if count > min(len(items), _LISTED):
        yield f"- and {count - min(len(items), _LISTED)} more"


def _numbers(figures: DayFigures) -> Iterator[str]:
    traffic, share = figures.traffic, figures.traffic.desk_share
    yield ""
    yield f"Messages from guests: {traffic.guests}, of {figures.guests} guests ({figures.new_guests} new)"
    yield f"Answers of the desk: {_times(figures.desk_times)}"
    yield f"Answers of people: {_times(figures.staff_times)}"
    if share is not None:
        yield f"Of {traffic.answers} answers the desk gave {share:.0%}, people {1 - share:.0%}"
    yield f"Messages that failed: {figures.failed}"
    yield f"Cost: {_cost(figures.cost)}"


def _times(times: AnswerTimes) -> str:
    if times.median_s is None or times.p95_s is None:
        return "none"
    return (
        f"half of them within {seconds_in_words(times.median_s)}, "
        f"95 of 100 within {seconds_in_words(times.p95_s)}"
    )


def _cost(cost: Cost) -> str:
    budget = "" if cost.share is None else f" of {dollars(cost.budget_usd)} ({cost.share:.0%})"
    calls = f"{cost.model_calls} calls to models"
    failed = f", {cost.failed} of them failed" if cost.failed else ""
    return f"{dollars(cost.spent_usd)}{budget}, {calls}{failed}"


def _quote(words: str) -> str:
    line = " ".join(words.split())
    if not line:
        return ""
    return f": {line}" if len(line) <= _LONGEST_QUOTE else f": {line[:_LONGEST_QUOTE]}…"

"""The morning report in plain words, for an e-mail and a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from server.domain.phrases import Phrase
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
from server.translations import Written

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


def report_lines(report: MorningReport, name: str, console_url: str) -> Sequence[str]:
    """*report* of the business called *name*, to be said in any language; the first line is its title.

    Args:
        console_url: where staff find the conversations, each of which is named by its link.
    """
    day = Written("EEEE d MMMM y", report.figures.day.date)
    title = Phrase("Morning report of {business}: {day}", business=name, day=day)
    return [title, *_Text(report, console_url).lines()]


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
            Phrase("Promises that are open: {count} of {all}", count=promises.open_count, all=promises.made),
            promises.open,
            promises.open_count,
            self._open_promise,
        )
        yield from _section(
            Phrase(
                "Guests who wait for a person, at {time}: {count}",
                time=self._at(now.at),
                count=now.waiting_count,
            ),
            now.waiting,
            now.waiting_count,
            lambda one: self._lines(one, self._since(one.since), one.words),
        )
        yield from _section(
            Phrase("Promises that were kept: {count}", count=promises.settled_count),
            promises.settled,
            promises.settled_count,
            self._kept_promise,
        )
        yield from _section(
            Phrase("Questions that no document answers: {count}", count=now.question_count),
            now.questions,
            now.question_count,
            lambda one: self._lines(one, self._at(one.asked_at), one.text),
        )
        yield from _section(
            Phrase("Complaints: {count}", count=report.complaint_count),
            report.complaints,
            report.complaint_count,
            lambda one: self._lines(one, self._at(one.at), one.words),
        )
        yield from self._calls()
        yield from _numbers(report.figures)

    def _calls(self) -> Iterator[str]:
        calls = self._report.figures.calls
        yield from _section(
            Phrase(
                "Calls: {taken} taken ({time}), {missed} missed",
                taken=calls.taken,
                time=seconds_in_words(calls.seconds),
                missed=calls.missed,
            ),
            self._report.missed_calls,
            calls.missed,
            self._missed_call,
        )

    def _open_promise(self, promise: Promise) -> Sequence[str]:
        return self._lines(promise, self._since(promise.made_at), promise.asked)

    def _kept_promise(self, promise: Promise) -> Sequence[str]:
        how = _SETTLED[promise.state]
        if promise.settled_by:
            how = Phrase("{how} by {name}", how=how, name=promise.settled_by)
        if promise.settled_at is not None:
            how = Phrase("{how} {time}", how=how, time=self._at(promise.settled_at))
        when = Phrase("{time}, {how}", time=self._at(promise.made_at), how=how)
        return self._lines(promise, when, promise.asked)

    def _missed_call(self, call: MissedCall) -> Sequence[str]:
        when = Phrase("missed {time} ({because})", time=self._at(call.at), because=call.because)
        return self._lines(call, when, "")

    def _lines(self, one: OfGuest, when: Phrase, words: str) -> Sequence[str]:
        guest, quote = _name(one.guest), _quote(words)
        return [
            Phrase("- {guest}, {when}: {words}", guest=guest, when=when, words=quote)
            if quote
            else Phrase("- {guest}, {when}", guest=guest, when=when),
            f"  {self._console_url}/console/conversations/{one.conversation_id}",
        ]

    def _since(self, moment: datetime) -> Phrase:
        return Phrase("since {time}", time=self._at(moment))

    def _at(self, moment: datetime) -> Phrase:
        """The hour alone if it was on the day."""
        there = moment.astimezone(self._day.zone)
        is_on_the_day = there.date() == self._day.date
        return Written("HH:mm", there) if is_on_the_day else Written("d MMM HH:mm", there)


_SETTLED = {
    PromiseState.WRITTEN: Phrase("written to"),
    PromiseState.ANSWERED: Phrase("answered"),
    PromiseState.DISMISSED: Phrase("dismissed"),
}


def seconds_in_words(seconds: float) -> Phrase:
    """As exact as people want it: ``4.2 s``, ``2 min 5 s``, ``3 h 9 min``."""
    if seconds < timedelta(minutes=1).total_seconds():
        return Phrase("{seconds:.1f} s", seconds=seconds)
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return Phrase("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    return Phrase("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)


def _section(
    title: Phrase, items: Sequence[Item], count: int, lines: Callable[[Item], Sequence[str]]
) -> Iterator[str]:
    yield ""
    yield title
    for item in items[:_LISTED]:
        yield from lines(item)
    if count > min(len(items), _LISTED):
        yield Phrase("- and {count} more", count=count - min(len(items), _LISTED))


def _numbers(figures: DayFigures) -> Iterator[str]:
    traffic, share = figures.traffic, figures.traffic.desk_share
    yield ""
    yield Phrase(
        "Messages from guests: {messages}, of {guests} guests ({new} new)",
        messages=traffic.guests,
        guests=figures.guests,
        new=figures.new_guests,
    )
    yield Phrase("Answers of the desk: {times}", times=_times(figures.desk_times))
    yield Phrase("Answers of people: {times}", times=_times(figures.staff_times))
    if share is not None:
        yield Phrase(
            "Of {answers} answers the desk gave {desk:.0%}, people {people:.0%}",
            answers=traffic.answers,
            desk=share,
            people=1 - share,
        )
    yield Phrase("Messages that failed: {count}", count=figures.failed)
    yield _cost(figures.cost)


def _times(times: AnswerTimes) -> Phrase:
    if times.median_s is None or times.p95_s is None:
        return Phrase("none")
    return Phrase(
        "half of them within {half}, 95 of 100 within {most}",
        half=seconds_in_words(times.median_s),
        most=seconds_in_words(times.p95_s),
    )


def _cost(cost: Cost) -> Phrase:
    spent: str = dollars(cost.spent_usd)
    if cost.share is not None:
        budget = dollars(cost.budget_usd)
        spent = Phrase("{spent} of {budget} ({share:.0%})", spent=spent, budget=budget, share=cost.share)
    if cost.failed:
        return Phrase(
            "Cost: {spent}, {calls} calls to models, {failed} of them failed",
            spent=spent,
            calls=cost.model_calls,
            failed=cost.failed,
        )
    return Phrase("Cost: {spent}, {calls} calls to models", spent=spent, calls=cost.model_calls)


def _name(guest: GuestView) -> str:
    return guest.title if isinstance(guest.title, Phrase) else " ".join(guest.title.split())


def _quote(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}…"

"""``frontdesk bench chat``: what the chat API takes beyond the model's own time."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import click

from bench.asking import Ask, Heard, ask_all
from bench.beyond import Beyond, ModelTime, beyond, model_times
from bench.chat_desk import PACE, ChatDesk
from bench.chat_load import (
    KNOWN,
    PROCESSES,
    STREAMED,
    WHOLE,
    Setting,
    chat_ask,
    fresh_asks,
    known_asks,
    running_desk,
)
from bench.chat_trouble import under_faults, within_limits
from bench.figures import Figure, Output, output_options
from bench.guest_questions import EARLY_EXITS, answerable_questions, fresh_questions
from bench.samples import PERCENTILES, percentile, percentiles
from bench.settings import database_option, list_option
from bench.usage import UsageMeter

# Not counted: pools fill, models are loaded, the known questions are asked for the first time.
WARM_UP_S = 5.0
# To so many fresh questions comes one of each other kind.
OTHERS_SHARE = 10
BEYOND_BUDGETS_MS = {50: 10.0, 95: 25.0, 99: 60.0}
FIRST_TOKEN_P50_BUDGET_MS = 3.0
INLINE_P50_BUDGET_MS = 5.0
EARLY, STRAIGHT, BARE = "early", "straight", "bare"
_MAX_TOKENS = 220
_ASKED_TWICE = 24
_ONCE_GAP_S = 0.15
_DOCUMENT = (
    '<document id="p1">\nParking\nThere is free parking behind the house for all our guests.\n</document>'
)

Measure = Callable[[Setting], Sequence[Figure]]

_EPILOG = """\b
Examples:
  frontdesk bench chat --rate 20 --seconds 60
  frontdesk bench chat --process web,realtime --database both --json
  frontdesk bench chat --faults --limits
"""


@click.command("chat", epilog=_EPILOG)
@click.option("--rate", type=click.FloatRange(1), default=20, show_default=True, help="Questions a second.")
@click.option("--seconds", type=click.IntRange(1), default=60, show_default=True, help="How long.")
@list_option("--process", "processes", of=PROCESSES, default="web", tells="Which process is asked.")
@click.option(
    "--streamed",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="The share of answers that web streams, which has room for few; realtime streams all.",
)
@database_option(default="sqlite")
@click.option("--faults", is_flag=True, help="Instead: 5 % hangs, 5 % 500s, 5 % 429s and 2 % cut streams.")
@click.option("--limits", is_flag=True, help="Instead: more questions than the model's key may ask.")
@output_options
def command(
    rate: float,
    seconds: int,
    processes: list[str],
    streamed: float,
    databases: list[str],
    faults: bool,
    limits: bool,
    as_json: bool,
    strict: bool,
) -> None:
    """What a reply through the chat API takes beyond the model's own time.

    The simulated model takes 400 ms to its first token and tells 50 a second; when it was asked, and when its
    first and last token left, it tells itself. Fresh questions, known ones, those that need no model, and
    questions straight to the model as the floor come in turn in one run. See docs/bench.md.
    """
    output = Output(as_json=as_json, is_strict=strict)
    wanted: list[Measure] = [
        run for run, is_wanted in ((under_faults, faults), (within_limits, limits)) if is_wanted
    ]
    for database, process in itertools.product(databases, processes):
        share = streamed if process == "web" else 1.0
        setting = Setting(database=database, process=process, rate=rate, seconds=seconds, streamed=share)
        for run in wanted or [measure]:
            output.add(*run(setting))
    output.close()


def measure(setting: Setting) -> Sequence[Figure]:
    """Start a desk, ask, and tell what it took."""
    with running_desk(setting) as desk:
        known = _known(desk, setting)
        desk.model.control(**PACE)
        asks = sorted(_asks(desk, setting, known), key=lambda ask: ask.due_s)
        with UsageMeter(desk.processes()) as meter:
            heard = ask_all(asks, f"chat, {setting}")
        counted = [one for one, ask in zip(heard, asks, strict=True) if ask.due_s >= WARM_UP_S]
        run = Run(setting, counted, model_times(desk.model.requests(settled=True)))
        return [*run.figures(), *_usage(setting, meter)]


def _known(desk: ChatDesk, setting: Setting) -> Sequence[str]:
    """Questions that the cache knows: asked twice, the second time it had the answer."""
    desk.model.control(ground=True)
    texts = answerable_questions()[:_ASKED_TWICE]
    for label in ("asking once", "asking again"):
        heard = ask_all(list(known_asks(desk, setting.process, texts, len(texts), _ONCE_GAP_S)), label)
    return [text for text, one in zip(texts, heard, strict=True) if one.source == "cache"]


def _asks(desk: ChatDesk, setting: Setting, known: Sequence[str]) -> Iterator[Ask]:
    seconds = setting.seconds + WARM_UP_S
    yield from fresh_asks(desk, setting, seconds)
    bare_url = f"{desk.urls[setting.process]}/livez"
    gap_s = OTHERS_SHARE / setting.rate
    count = round(seconds / gap_s)
    if known:
        yield from known_asks(desk, setting.process, known, count, gap_s)
    # Between the times of fresh ones, which come every tenth of the gap.
    for number in range(count):
        start_s = number * gap_s
        text = EARLY_EXITS[number % len(EARLY_EXITS)]
        yield chat_ask(desk, setting.process, f"{EARLY}-{number}", EARLY, start_s + 0.45 * gap_s, text)
        yield Ask(key=f"{BARE}-{number}", kind=BARE, due_s=start_s + 0.65 * gap_s, url=bare_url)
    yield from _straight_asks(desk, count, gap_s)


def _straight_asks(desk: ChatDesk, count: int, gap_s: float) -> Iterator[Ask]:
    """What nothing can do without: the model itself, streamed, asked as the desk asks it but with no desk."""
    # Other marks than the desk's own questions have.
    questions = itertools.islice(fresh_questions(seed=1), count)
    for number, (mark, text) in enumerate(questions):
        body = {
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": f"{_DOCUMENT}\n\n<guest>\n{text}\n</guest>"}],
            "max_tokens": _MAX_TOKENS,
            "stream": True,
        }
        yield Ask(
            key=mark,
            kind=STRAIGHT,
            due_s=(number + 0.85) * gap_s,
            url=f"{desk.model.base_url}/chat/completions",
            headers={"Authorization": "Bearer sk-straight"},
            body=body,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """What one run has shown."""

    setting: Setting
    heard: Sequence[Heard]
    times: Mapping[str, ModelTime]

    def figures(self) -> Iterator[Figure]:
        """All figures: beyond the model, inline, and what went wrong."""
        for kind in (WHOLE, STREAMED, STRAIGHT):
            yield from self._beyond(kind)
        yield from self._inline("cache hit", [one for one in self._of(KNOWN) if one.source == "cache"])
        yield from self._inline("early exit", [one for one in self._of(EARLY) if one.source == "shortcut"])
        for name, value in percentiles([one.took_ms for one in self._of(BARE) if one.status == 200] or [0.0]):
            yield self._figure(f"bare route of the process {name}", value, "ms")
        yield from self._spans()
        yield from self._sources()
        desk = [one for one in self.heard if one.kind in (WHOLE, STREAMED, KNOWN, EARLY)]
        yield self._figure("not answered", sum(not one.is_proper for one in desk), "guests", 0)

    def _beyond(self, kind: str) -> Iterator[Figure]:
        found = beyond(self._of(kind), self.times)
        if not found:
            return
        budgets = {} if kind == STRAIGHT else BEYOND_BUDGETS_MS
        yield self._figure(
            f"{kind}: the model itself p50", percentile([one.model for one in found], 50), "ms"
        )
        for share in PERCENTILES:
            value = percentile([one.whole for one in found], share)
            yield self._figure(f"{kind}: beyond the model p{share}", value, "ms", budgets.get(share))
        yield from self._first_tokens(kind, found)

    def _first_tokens(self, kind: str, found: Sequence[Beyond]) -> Iterator[Figure]:
        handed_on = [one.handed_on for one in found if one.handed_on is not None]
        first = [one.first for one in found if one.first is not None]
        if not first:
            return
        for share in PERCENTILES:
            budget = FIRST_TOKEN_P50_BUDGET_MS if (share, kind) == (50, STREAMED) else None
            value = percentile(handed_on, share)
            yield self._figure(f"{kind}: first token, model's wire to client's p{share}", value, "ms", budget)
        for name, value in percentiles(first):
            yield self._figure(f"{kind}: first token from the question, less the model's {name}", value, "ms")

    def _inline(self, name: str, heard: Sequence[Heard]) -> Iterator[Figure]:
        took = [one.took_ms for one in heard]
        for share in PERCENTILES if took else ():
            budget = INLINE_P50_BUDGET_MS if share == min(PERCENTILES) else None
            yield self._figure(f"{name} p{share}", percentile(took, share), "ms", budget)

    def _spans(self) -> Iterator[Figure]:
        """What turns that a model answered say of themselves."""
        told = [one.answer.get("timings_ms", {}) for one in self._of(WHOLE) if one.source == "model"]
        for name in sorted({name for spans in told for name in spans}):
            value = percentile([spans[name] for spans in told if name in spans], 50)
            yield self._figure(f"of each turn: {name} p50", value, "ms")

    def _sources(self) -> Iterator[Figure]:
        for kind in (WHOLE, STREAMED, KNOWN, EARLY):
            for source, count in sorted(Counter(one.source for one in self._of(kind)).items()):
                yield self._figure(f"{kind} answered by: {source or 'nothing'}", count, "guests")

    def _of(self, kind: str) -> list[Heard]:
        return [one for one in self.heard if one.kind == kind]

    def _figure(self, metric: str, value: float, unit: str, budget: float | None = None) -> Figure:
        return Figure("chat", str(self.setting), metric, value, unit, budget=budget)


def _usage(setting: Setting, meter: UsageMeter) -> Iterator[Figure]:
    for name, usage in meter.usage.items():
        yield Figure("chat", str(setting), f"{name}: processor", meter.cores(name), "cores")
        yield Figure("chat", str(setting), f"{name}: memory at most", usage.peak_mb, "MB")

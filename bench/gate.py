"""How well the gate tells good replies from bad ones, whole and streamed, on a corpus of both.

Every reply is judged whole, and fed in words, in single characters and in pieces cut at random; all of these
must come to the same. What a guest was shown of a reply that was then stopped must hold nothing of its fault.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import mean

import click

from bench.figures import Figure, Output, output_options
from bench.gate_corpus import CHECK, DEVELOP, DEVELOP2, DEVELOP3, NOW, Entry, read_corpus
from server.conversation.gate import check_reply
from server.conversation.stream_gate import StreamGate
from server.conversation.verdicts import Accepted, Gated

_LET_THROUGH_PERCENT, _HELD_BACK_PERCENT = 1.0, 3.0
_RANDOM_CUTS, _LONGEST_PIECE_CHARS, _SEED = 3, 12, 7
_MARKS_AND_SPACES = re.compile(r"\[[^\[\]]*\]|\s+")
_EPILOG = """\b
Examples:
  frontdesk bench gate
  frontdesk bench gate --file tests/data/gate/develop.jsonl --failures --texts
"""


@dataclass(frozen=True, slots=True)
class Streamed:
    """What came of feeding a reply piece by piece.

    ``shown`` is what the guest had read before the end; ``shown_early`` is that before the last piece came.
    """

    gated: Gated
    shown: str
    shown_early: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the gate judged one entry; ``streamed`` is by the way it was cut, words first."""

    entry: Entry
    whole: Gated
    streamed: Sequence[Streamed] = field(default=())

    @property
    def is_stopped(self) -> bool:
        """Whether the whole reply was refused."""
        return not isinstance(self.whole, Accepted)

    @property
    def is_wrong(self) -> bool:
        """A bad reply that was let through or a good one that was held back."""
        return self.is_stopped is not self.entry.is_bad

    @property
    def agrees(self) -> bool:
        """Whether it came to the same in every cut, and never showed what the reply does not begin with."""
        return all(_same(self.whole, stream) and self._begins_with(stream.shown) for stream in self.streamed)

    @property
    def showed_fault(self) -> bool:
        """Whether a guest had read the fault when the reply was stopped."""
        fault = _visible(self.entry.fault)
        return (
            self.is_stopped
            and bool(fault)
            and any(fault in _visible(stream.shown) for stream in self.streamed)
        )

    @property
    def shown_early(self) -> float | None:
        """The share of an accepted reply that was shown before its last word came; None of other replies."""
        if not isinstance(self.whole, Accepted) or self.whole.asks_team or not self.whole.text:
            return None
        return len(self.streamed[0].shown_early) / len(self.whole.text)

    def _begins_with(self, shown: str) -> bool:
        return _bare(self.entry.reply).startswith(_bare(shown))


def judge(entry: Entry) -> Outcome:
    """Run the gate over *entry*, whole and in every cut."""
    turn, passages = entry.turn(), entry.passages()
    streamed = [
        stream(StreamGate(turn, passages, NOW), pieces) for pieces in cuts(entry.reply, f"{_SEED}{entry.id}")
    ]
    return Outcome(entry, check_reply(entry.reply, turn, passages, NOW), streamed)


def cuts(text: str, seed: str) -> Iterator[list[str]]:
    """*text* in words, in characters, and in pieces of random length."""
    yield re.findall(r"\S+\s*|\s+", text)
    yield list(text)
    source = random.Random(seed)  # noqa: S311 - where a text is cut is no secret
    for _ in range(_RANDOM_CUTS):
        yield list(_random_pieces(text, source))


def stream(gate: StreamGate, pieces: Sequence[str]) -> Streamed:
    """Feed *pieces* until they end or the gate has refused them."""
    shown = shown_early = ""
    for piece in pieces:
        shown_early = shown
        shown += gate.feed(piece)
        if gate.is_refused:
            break
    return Streamed(gate.finish(), shown, shown_early)


def figures(name: str, outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    """What the corpus *name* comes to: altogether, by language and by kind."""
    yield from _scores(f"{name}, all {len(outcomes)}", outcomes)
    for language, group in _grouped(outcomes, lambda outcome: outcome.entry.language):
        yield from _scores(f"{name}, {language}", group)
    for is_bad, group in _grouped(outcomes, lambda outcome: outcome.entry.is_bad):
        told = "bad stopped" if is_bad else "good held back"
        for kind, alike in _grouped(group, lambda outcome: outcome.entry.kind):
            stopped = _percent(sum(outcome.is_stopped for outcome in alike), len(alike))
            yield Figure("gate", f"{name}, {told}", f"{kind} ({len(alike)})", stopped, "%")


@click.command("gate", epilog=_EPILOG)
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A corpus; both of tests/data/gate if none is named.",
)
@click.option("--failures", is_flag=True, help="Name the entries that went wrong, on standard error.")
@click.option("--texts", is_flag=True, help=f"Name them with their words; never those of {CHECK.name}.")
@output_options
def command(files: Sequence[Path], failures: bool, texts: bool, as_json: bool, strict: bool) -> None:
    """Score the gate: bad replies stopped, good ones held back, streamed against whole."""
    output = Output(as_json=as_json, is_strict=strict)
    for path in files or (DEVELOP, DEVELOP2, DEVELOP3, CHECK):
        outcomes = [judge(entry) for entry in read_corpus(path)]
        output.add(*figures(path.stem, outcomes))
        if failures or texts:
            _name_failures(outcomes, with_texts=texts and path.name != CHECK.name)
    output.close()


def _scores(setting: str, outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    bad = [outcome for outcome in outcomes if outcome.entry.is_bad]
    good = [outcome for outcome in outcomes if not outcome.entry.is_bad]
    stopped = sum(outcome.is_stopped for outcome in bad)
    held_back = sum(outcome.is_stopped for outcome in good)
    early = [outcome.shown_early for outcome in good if outcome.shown_early is not None]
    unlike = sum(not outcome.agrees for outcome in outcomes)
    showed = sum(outcome.showed_fault for outcome in outcomes)
    let_through = _percent(len(bad) - stopped, len(bad))

    def figure(metric: str, value: float, unit: str, budget: float | None = None) -> Figure:
        return Figure("gate", setting, metric, value, unit, budget=budget)

    yield figure(f"bad stopped, of {len(bad)} (recall)", _percent(stopped, len(bad)), "%")
    yield figure("bad let through", let_through, "%", _LET_THROUGH_PERCENT)
    yield figure(f"good held back, of {len(good)}", _percent(held_back, len(good)), "%", _HELD_BACK_PERCENT)
    yield figure("bad among the stopped (precision)", _percent(stopped, stopped + held_back), "%")
    yield figure("streamed unlike whole", unlike, "", 0.0)
    yield figure("fault shown before the stop", showed, "", 0.0)
    yield figure("good shown before its last word", 100 * mean(early or [0.0]), "%")


def _name_failures(outcomes: Sequence[Outcome], *, with_texts: bool) -> None:
    """Say on standard error what went wrong: standard output belongs to the figures."""
    for outcome in outcomes:
        for fault in _faults(outcome):
            click.echo(f"{outcome.entry.id}  {outcome.entry.kind}: {fault}", err=True)
            if with_texts:
                click.echo(f"    {outcome.entry.question}\n    {outcome.entry.reply}", err=True)


def _faults(outcome: Outcome) -> Iterator[str]:
    if outcome.is_wrong:
        yield "let through" if outcome.entry.is_bad else f"held back ({_reason(outcome.whole)})"
    if not outcome.agrees:
        yield "streamed unlike whole"
    if outcome.showed_fault:
        yield "fault shown before the stop"


def _reason(gated: Gated) -> str:
    return "" if isinstance(gated, Accepted) else gated.reason


def _same(whole: Gated, streamed: Streamed) -> bool:
    if isinstance(whole, Accepted) and isinstance(streamed.gated, Accepted):
        return whole == streamed.gated and (whole.asks_team or whole.text.startswith(streamed.shown))
    return type(whole) is type(streamed.gated)


def _random_pieces(text: str, source: random.Random) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + source.randint(1, _LONGEST_PIECE_CHARS)
        yield text[start:end]
        start = end


def _grouped(
    outcomes: Sequence[Outcome], key: Callable[[Outcome], str | bool]
) -> Iterator[tuple[str | bool, list[Outcome]]]:
    return ((value, list(group)) for value, group in groupby(sorted(outcomes, key=key), key=key))


def _visible(text: str) -> str:
    """*text* without characters that show nothing."""
    return "".join(character for character in text if unicodedata.category(character) != "Cf")


def _bare(text: str) -> str:
    """*text* without marks, spaces and what shows nothing: what remains must never differ."""
    return _MARKS_AND_SPACES.sub("", _visible(text))


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0

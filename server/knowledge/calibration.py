"""Numbers learned beforehand that turn a question and a document into signals and these into probabilities.

`bench/calibrate_answers.py` makes them and tells how.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from server.knowledge.ranking import Matrix, Ranking, Vector, ranking_from_json


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learned for one embedding model.

    The vectors of one language lie close together, away from those of another; its centre is taken off
    them, so that a text is near to what says the same in another language. An alignment, kept for some
    pairs of a question's and a passage's language, turns a question further to the passages that answer it.
    ``by_words`` ranks without any vector.
    """

    model: str
    question_centres: Mapping[str, Vector]
    passage_centres: Mapping[str, Vector]
    alignments: Mapping[tuple[str, str], Matrix]
    ranking: Ranking
    by_words: Ranking

    def centre_questions(self, vectors: Matrix, language: str) -> Matrix:
        """*vectors* of questions without what is common to their language, of unit length again."""
        return _unit(vectors - _centre(self.question_centres, language))

    def centre_passages(self, vectors: Matrix, language: str) -> Matrix:
        """The same for passages."""
        return _unit(vectors - _centre(self.passage_centres, language))

    def aim(self, vector: Vector, language: str, passage_language: str) -> Vector:
        """The vector of a question as it is compared with the centred passages of a language."""
        centred = self.centre_questions(vector[np.newaxis], language)
        alignment = self.alignments.get((language, passage_language))
        aimed: Vector = centred[0] if alignment is None else _unit(centred @ alignment)[0]
        return aimed


@cache
def calibration_for(model: str) -> Calibration:
    """What was learned for the embedding model that comes with Frontdesk.

    For another model, whose vectors nothing is known of, a calibration that goes by words and concepts.
    """
    folder = files("server.knowledge")
    values = json.loads(folder.joinpath("calibration.json").read_text(encoding="utf-8"))
    by_words = ranking_from_json(values["words_only"])
    if values["model"] != model:
        return Calibration(model, {}, {}, {}, by_words, by_words)
    with folder.joinpath("alignments.npz").open("rb") as file, np.load(file) as kept:
        alignments = {_languages(name): kept[name].astype(np.float32) for name in kept}
    return Calibration(
        model=model,
        question_centres=_vectors(values["question_centres"]),
        passage_centres=_vectors(values["passage_centres"]),
        alignments=alignments,
        ranking=ranking_from_json(values["ranking"]),
        by_words=by_words,
    )


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Keep what `calibration_for` reads: ``calibration.json`` and ``alignments.npz`` in *folder*."""
    values = {
        "model": calibration.model,
        "ranking": calibration.ranking.as_json(),
        "words_only": calibration.by_words.as_json(),
        "question_centres": {key: _numbers(value) for key, value in calibration.question_centres.items()},
        "passage_centres": {key: _numbers(value) for key, value in calibration.passage_centres.items()},
    }
    (folder / "calibration.json").write_text(json.dumps(values) + "\n", encoding="utf-8")
    # Half precision: a hundredth of a degree, and a megabyte less.
    alignments = {"-".join(key): value.astype(np.float16) for key, value in calibration.alignments.items()}
    np.savez_compressed(folder / "alignments.npz", allow_pickle=False, **alignments)


def _languages(name: str) -> tuple[str, str]:
    question, _, passage = name.partition("-")
    return question, passage


def _centre(centres: Mapping[str, Vector], language: str) -> Vector:
    if language in centres:
        return centres[language]
    if not centres:
        return np.zeros(1, dtype=np.float32)
    # A language that was never measured is taken for the middle of those that were.
    middle: Vector = np.stack(list(centres.values())).mean(axis=0)
    return middle


def _unit(vectors: Matrix) -> Matrix:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Matrix = vectors / np.maximum(lengths, np.float32(1e-6))
    return unit


def _vectors(values: Mapping[str, Any]) -> dict[str, Vector]:
    return {key: np.array(value, dtype=np.float32) for key, value in values.items()}


def _numbers(vector: Vector) -> list[float]:
    return [round(float(number), 4) for number in vector]

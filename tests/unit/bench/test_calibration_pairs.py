"""Questions made from what several businesses say in their own words."""

from __future__ import annotations

import json
import random
from pathlib import Path

from bench.calibration_pairs import Business, make_hebrew_pairs, make_pairs, read_businesses
from server.domain.knowledge import Document


def a_business(key: str, name: str, *texts: tuple[str, str]) -> Business:
    documents = [Document(str(place), title, body, "en") for place, (title, body) in enumerate(texts)]
    return Business(key, name, tuple(documents))


HOUSE = a_business(
    "1",
    "Harbour House",
    ("Are pets allowed at Harbour House?", "No, pets are not allowed."),
    ("Can I smoke?", "Smoking is not allowed at all."),
)
INN = a_business(
    "2", "Hill Inn", ("May I bring my dog?", "No, pets are not allowed."), ("Is there wifi?", "Yes.")
)


def a_source() -> random.Random:
    return random.Random(1)  # noqa: S311 - nothing here is secret


def test_a_title_of_one_business_asks_for_what_another_says_in_the_same_words() -> None:
    pairs = make_pairs([HOUSE, INN], a_source())
    to_house = [pair for pair in pairs if pair.business is HOUSE]
    assert {pair.answers for pair in to_house} == {frozenset({"0"})}
    assert any("dog" in pair.question for pair in to_house)
    assert all("smoke" not in pair.question for pair in pairs)


def test_the_same_seed_makes_the_same_pairs() -> None:
    made = [[pair.question for pair in make_pairs([HOUSE, INN], a_source())] for _ in range(2)]
    assert made[0] == made[1]


def test_a_hebrew_question_has_the_answers_of_its_english_one(tmp_path: Path) -> None:
    path = tmp_path / "hebrew.jsonl"
    path.write_text(
        json.dumps({"english": "May I bring my dog?", "hebrew": ["אפשר עם כלב?"]}), encoding="utf-8"
    )
    (pair,) = make_hebrew_pairs([HOUSE, INN], path)
    assert (pair.business, pair.question, pair.answers) == (INN, "אפשר עם כלב?", frozenset({"0"}))


def test_of_two_businesses_of_one_name_the_fuller_is_read(tmp_path: Path) -> None:
    documents = [{"id": "0", "title": "Pool", "body": "No."}, {"id": "1", "title": "Gym", "body": "No."}]
    lines = [{"tenant": f"t{n}", "name": "A", "documents": documents[:n]} for n in (1, 2, 1)]
    path = tmp_path / "businesses.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    assert [business.id for business in read_businesses(path)] == ["t2"]

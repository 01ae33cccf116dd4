"""Words that another process, or another language, may say."""

from __future__ import annotations

import json

import pytest

from server.domain.phrases import Counted, Phrase, packed, unpacked

FAULT = Phrase(
    "{where}: {day!r} is no day of {most:,}",
    where=Phrase("{name}, {place}", name="{odd}.md", place=Phrase("line {number}", number=3)),
    day="06-31",
    most=1_000,
)


def test_a_phrase_comes_out_of_json_as_it_went_in() -> None:
    again = unpacked(json.loads(json.dumps(packed(FAULT))))
    assert isinstance(again, Phrase)
    assert again == "{odd}.md, line 3: '06-31' is no day of 1,000"
    assert (again.template, again.values) == (FAULT.template, FAULT.values)


def test_what_is_no_phrase_stays_as_it_is() -> None:
    assert unpacked(packed("as {it} is")) == "as {it} is"


@pytest.mark.parametrize(("count", "words"), [(0, "0 days"), (1, "1 day"), (2, "2 days")])
def test_what_is_counted_is_one_or_several_also_out_of_json(count: int, words: str) -> None:
    phrase = Counted("{count} day", "{count} days", count=count)
    again = unpacked(json.loads(json.dumps(packed(Phrase("for {time}", time=phrase)))))
    assert phrase == words
    assert isinstance(again, Phrase)
    assert again == f"for {words}"
    assert isinstance(again.values["time"], Counted)

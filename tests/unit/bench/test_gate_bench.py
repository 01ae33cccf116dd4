"""What the gate's bench counts, and what it tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bench.gate import Outcome, Streamed, command, cuts, figures, judge
from bench.gate_corpus import Entry, read_corpus
from server.conversation.verdicts import Accepted, Gated, Refused

GOOD: dict[str, Any] = {
    "id": "g1",
    "language": "en",
    "verdict": "good",
    "kind": "quote",
    "business": "Harbour House",
    "question": "When is check-in?",
    "documents": [{"title": "Check-in", "body": "Check-in is from 15:00."}],
    "reply": "Check-in is from 15:00 [p1].",
    "why": "as written",
}
BAD: dict[str, Any] = GOOD | {
    "id": "b1",
    "verdict": "bad",
    "kind": "wrong_time",
    "reply": "Check-in is from 16:00 [p1].",
    "fault": "16:00",
    "why": "15:00",
}
SHOWS_NOTHING = Streamed(Refused("no"), shown="", shown_early="")


def outcome(line: dict[str, Any], whole: Gated, *streamed: Streamed) -> Outcome:
    return Outcome(Entry(**line), whole, streamed)


def values(outcomes: list[Outcome]) -> dict[str, float]:
    """The figures over all of *outcomes*, by the first words of their metric."""
    first = list(figures("some", outcomes))[:7]
    return {figure.metric.split(",")[0].split(" (")[0]: figure.value for figure in first}


def corpus(tmp_path: Path, *lines: dict[str, Any], name: str = "some.jsonl") -> Path:
    path = tmp_path / name
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_recall_precision_and_what_was_held_back_are_counted() -> None:
    stopped, let_out = Refused("no"), Accepted("yes")
    found = values(
        [
            outcome(BAD, stopped, SHOWS_NOTHING),
            outcome(BAD, stopped, SHOWS_NOTHING),
            outcome(BAD, stopped, SHOWS_NOTHING),
            outcome(BAD, let_out, Streamed(let_out, "", "")),
            outcome(GOOD, stopped, SHOWS_NOTHING),
            outcome(GOOD, let_out, Streamed(let_out, "", "")),
        ]
    )
    assert found["bad stopped"] == 75
    assert found["bad let through"] == 25
    assert found["good held back"] == 50
    assert found["bad among the stopped"] == 75


def test_another_verdict_in_one_cut_is_no_agreement() -> None:
    other = Streamed(Accepted("Check-in is from 16:00."), "", "")
    assert outcome(BAD, Refused("no"), SHOWS_NOTHING, SHOWS_NOTHING).agrees
    assert not outcome(BAD, Refused("no"), SHOWS_NOTHING, other).agrees


def test_words_that_the_reply_does_not_begin_with_are_no_agreement() -> None:
    shown = Streamed(Refused("no"), shown="Breakfast is", shown_early="")
    assert not outcome(BAD, Refused("no"), shown).agrees


def test_a_fault_that_was_shown_before_the_stop_is_counted_in_any_cut() -> None:
    shown = Streamed(Refused("no"), shown="Check-in is from 16:00", shown_early="")
    before = Streamed(Refused("no"), shown="Check-in is from 1", shown_early="")
    assert outcome(BAD, Refused("no"), SHOWS_NOTHING, shown).showed_fault
    assert not outcome(BAD, Refused("no"), before).showed_fault


def test_a_fault_is_found_behind_characters_that_show_nothing() -> None:
    shown = Streamed(Refused("no"), shown="Check-in is from 16:00", shown_early="")
    assert outcome(BAD | {"fault": "1\u200b6:00"}, Refused("no"), shown).showed_fault


def test_what_was_shown_early_is_a_share_of_the_reply() -> None:
    whole = Accepted("Check-in is from 15:00.")
    halfway = Streamed(whole, shown=whole.text, shown_early="Check-in is")
    assert outcome(GOOD, whole, halfway).shown_early == pytest.approx(11 / 23)


@given(st.text(max_size=60), st.text(max_size=5))
def test_a_cut_loses_nothing_and_makes_no_empty_pieces(text: str, seed: str) -> None:
    for pieces in cuts(text, seed):
        assert "".join(pieces) == text
        assert all(pieces)


def test_cuts_are_the_same_under_the_same_seed() -> None:
    assert list(cuts(BAD["reply"], "7")) == list(cuts(BAD["reply"], "7"))


def test_the_gate_is_given_what_the_entry_holds(tmp_path: Path) -> None:
    path = corpus(tmp_path, GOOD, BAD)
    good, bad = (judge(entry) for entry in read_corpus(path))
    assert isinstance(good.whole, Accepted)
    assert [citation.title for citation in good.whole.citations] == ["Check-in"]
    assert isinstance(bad.whole, Refused)
    assert good.agrees
    assert bad.agrees


def test_with_json_only_figures_go_to_standard_output(tmp_path: Path) -> None:
    path = corpus(tmp_path, GOOD | {"verdict": "bad"}, BAD)
    ran = CliRunner().invoke(command, ["--file", str(path), "--json", "--failures"])
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {line["bench"] for line in lines} == {"gate"}
    assert {line["metric"]: line["holds"] for line in lines}["bad let through"] is False
    assert "g1  quote: let through" in ran.stderr


def test_strict_fails_where_a_budget_does_not_hold(tmp_path: Path) -> None:
    path = corpus(tmp_path, GOOD | {"verdict": "bad"}, BAD)
    assert CliRunner().invoke(command, ["--file", str(path), "--strict"]).exit_code == 1
    assert (
        CliRunner().invoke(command, ["--file", str(corpus(tmp_path, GOOD, BAD)), "--strict"]).exit_code == 0
    )


def test_the_words_of_what_is_only_for_checking_are_never_told(tmp_path: Path) -> None:
    failing = GOOD | {"verdict": "bad"}
    for name, is_told in (("develop.jsonl", True), ("check.jsonl", False)):
        path = corpus(tmp_path, failing, name=name)
        ran = CliRunner().invoke(command, ["--file", str(path), "--texts"])
        assert "g1  quote: let through" in ran.stderr
        assert (GOOD["reply"] in ran.stderr) is is_told

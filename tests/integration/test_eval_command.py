"""``frontdesk eval`` and ``frontdesk knowledge`` on small files, with the real embedding model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from server.commands.context import CommandContext
from server.commands.evaluate import evaluate
from server.commands.knowledge import knowledge
from server.domain.tenants import TenantSettings
from server.errors import CommandError, InvalidRequest, NotFound
from server.store.migrate import migrate

BUSINESS = {
    "tenant": "hill",
    "name": "Hill Inn",
    "documents": [
        {"id": "pool", "title": "Is there a pool at Hill Inn?", "body": "Hill Inn has no pool."},
        {"id": "pets", "title": "Are pets allowed?", "body": "Dogs are welcome."},
        {"id": "parking", "title": "Where can I park?", "body": "Parking is free behind the house."},
        {"id": "breakfast", "title": "When is breakfast?", "body": "Breakfast is from 7 to 10."},
        {"id": "wifi", "title": "Is there wifi?", "body": "Wifi is free in all rooms."},
    ],
}


def a_question(key: str, text: str, gold: list[str], source: str = "typed") -> dict[str, Any]:
    history = [
        {"role": "guest", "text": "Hi"},
        {"role": "host", "text": "Hello!"},
        {"role": "guest", "text": text},
    ]
    return {"id": key, "source": source, "tenant": "hill", "history": history, "gold": gold}


QUESTIONS = [
    a_question("q1", "Can I bring my dog to Hill Inn?", ["pets"]),
    a_question("q2", "what time is breakfast served", ["breakfast"]),
    a_question("q3", "do you rent out helicopters", [], "unanswerable-typed"),
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with both files; the current data folder is below it."""
    (tmp_path / "businesses.jsonl").write_text(json.dumps(BUSINESS) + "\n", encoding="utf-8")
    lines = "".join(json.dumps(question) + "\n" for question in QUESTIONS)
    (tmp_path / "questions.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


@pytest.fixture
def context(files: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandContext]:
    monkeypatch.setenv("DATA_DIR", str(files / "var"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    made = CommandContext()
    yield made
    made.any_database.close()


def run_eval(context: CommandContext, files: Path, *options: str) -> Result:
    arguments = [str(files / "questions.jsonl"), "--businesses", str(files / "businesses.jsonl"), *options]
    return CliRunner().invoke(evaluate, arguments, obj=context, catch_exceptions=False)


def test_the_json_has_a_count_for_each_source_and_nothing_beside_it(
    context: CommandContext, files: Path
) -> None:
    result = run_eval(context, files, "--json")
    assert result.exit_code == 0
    scores = json.loads(result.stdout)
    assert scores["sources"] == {
        "typed": {"n": 2, "right": 2, "offered": 0, "asked_team": 0, "wrong": 0, "top1": 2, "top3": 2},
        "unanswerable-typed": {
            "n": 1, "right": 0, "offered": 0, "asked_team": 1, "wrong": 0, "top1": 0, "top3": 0,
        },
    }  # fmt: skip
    assert 0 < scores["latency_ms"]["p50"] <= scores["latency_ms"]["p99"]


def test_each_question_has_its_line_in_the_file_asked_for(context: CommandContext, files: Path) -> None:
    run_eval(context, files, "--json", "--out", str(files / "out.jsonl"))
    lines = [json.loads(line) for line in (files / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["q1", "q2", "q3"]
    assert [line["action"] for line in lines] == ["answer", "answer", "ask_team"]
    assert lines[0]["documents"] == ["pets"]
    assert lines[0]["reply"] == "Dogs are welcome."
    assert lines[2]["documents"] == []
    assert all(line["ms"] > 0 for line in lines)


def test_the_table_sums_up_what_can_be_answered_and_what_cannot(context: CommandContext, files: Path) -> None:
    output = run_eval(context, files).stdout
    assert "all answerable" in output
    assert "all unanswerable" in output
    assert "2 (100%)" in output


def test_a_second_run_finds_the_vectors_of_the_first(context: CommandContext, files: Path) -> None:
    assert "15/15" in run_eval(context, files).stderr
    assert "15/15" not in run_eval(context, files).stderr


def test_the_business_that_is_served_is_left_alone(context: CommandContext, files: Path) -> None:
    run_eval(context, files)
    assert not (files / "var" / "frontdesk.db").exists()


def test_a_bad_line_ends_it_with_one_sentence(context: CommandContext, files: Path) -> None:
    (files / "questions.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(InvalidRequest, match=r"questions\.jsonl, line 1: id"):
        run_eval(context, files)


def test_a_page_is_imported_listed_and_changed(context: CommandContext, files: Path) -> None:
    migrate(context.any_database)
    context.tenants.add("7", TenantSettings(name="Hill Inn"))
    page = files / "faq.md"
    page.write_text("## Pool\nNo pool.\n\n## חניה\nבחצר.\n", encoding="utf-8")

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(
            knowledge, [*arguments, "--tenant", "7"], obj=context, catch_exceptions=False
        )
        assert result.exit_code == 0
        return result.stdout

    assert (
        run("import", str(page))
        == "Read 2 documents for Hill Inn: 2 new, 0 changed, 0 unchanged, 0 removed.\n"
    )
    assert (
        run("import", str(page))
        == "Read 2 documents for Hill Inn: 0 new, 0 changed, 2 unchanged, 0 removed.\n"
    )
    assert run("list") == "pool\ten\tPool\t\t\tfaq.md\nחניה\the\tחניה\t\t\tfaq.md\n"
    assert context.tenants.get("7").knowledge_version == 1


def test_a_page_with_a_fault_is_not_imported_at_all(context: CommandContext, files: Path) -> None:
    migrate(context.any_database)
    context.tenants.add("7", TenantSettings(name="Hill Inn"))
    page = files / "faq.md"
    page.write_text("## Pool\nNo pool.\n\n## Gym\n", encoding="utf-8")
    with pytest.raises(InvalidRequest, match="line 4"):
        CliRunner().invoke(
            knowledge, ["import", str(page), "--tenant", "7"], obj=context, catch_exceptions=False
        )
    with pytest.raises(CommandError, match="no documents yet"):
        CliRunner().invoke(knowledge, ["list", "--tenant", "7"], obj=context, catch_exceptions=False)


def test_an_unknown_tenant_is_named(context: CommandContext, files: Path) -> None:
    migrate(context.any_database)
    with pytest.raises(NotFound, match="'9'"):
        CliRunner().invoke(
            knowledge, ["import", str(files / "x.md"), "--tenant", "9"], obj=context, catch_exceptions=False
        )

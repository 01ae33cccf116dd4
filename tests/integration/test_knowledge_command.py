"""``frontdesk knowledge``: files of every format become what guests are answered from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.commands import cli
from server.domain.knowledge import Document
from server.errors import AppError, InvalidRequest, NotFound
from server.store.knowledge import Knowledge
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.files import Print, docx, pdf, zipped

JSON = json.dumps(
    {"id": "pool", "title": "Pool", "body": "From 8.", "valid_from": "06-01", "valid_until": "09-30"}
)
MARKDOWN = (
    '# Inn\n\n## Pool {#pool from=06-01 until=09-30 hours="Su-Fr 08:00-19:00"}\nFrom 8.\n\n## Pets\nNo.\n'
)
HTML = "<nav>Menu</nav><h1>Inn</h1><h2>Pool</h2><p>From 8.</p><h2>Pets</h2><p>No.</p>"
WORD = docx([("1", "Pool"), ("", "From 8."), ("1", "Pets"), ("", "No.")])
PDF = pdf([Print("Pool", 800, 18), Print("From 8.", 780), Print("Pets", 740, 18), Print("No.", 720)])


@pytest.fixture
def folder(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenants: Tenants) -> Path:
    """The current folder, of commands on a database with tenants 1 and 2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    return tmp_path


@pytest.fixture
def kept(database: Database, clock: FakeClock) -> Knowledge:
    """What the commands have kept."""
    return Knowledge(database, clock)


def said(*arguments: str) -> str:
    """What a command says that must succeed."""
    result = CliRunner().invoke(cli, ["knowledge", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(error: type[AppError], *arguments: str) -> str:
    """What a command says that must not succeed."""
    result = CliRunner().invoke(cli, ["knowledge", *arguments])
    assert isinstance(result.exception, error), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


@pytest.mark.parametrize(
    ("name", "content", "ids"),
    [
        ("faq.jsonl", JSON.encode(), ["pool"]),
        ("faq.he.md", MARKDOWN.encode(), ["pets.he", "pool.he"]),
        ("faq.html", HTML.encode(), ["faq-pets", "faq-pool"]),
        ("faq.docx", WORD, ["faq-pets", "faq-pool"]),
        ("faq.pdf", PDF, ["faq-pets", "faq-pool"]),
    ],
)
def test_a_file_of_each_format_is_imported_once(
    folder: Path, kept: Knowledge, name: str, content: bytes, ids: list[str]
) -> None:
    (folder / name).write_bytes(content)
    count = len(ids)
    first = said("import", name, "--tenant", "1")
    assert f"Read {count} documents" in first
    assert f"{count} new, 0 changed, 0 unchanged, 0 removed" in first
    documents = kept.documents("1")
    assert [document.id for document in documents] == ids
    assert {document.source for document in documents} == {name}
    assert documents[-1].body == "From 8."
    version = kept.version("1")
    assert f"0 new, 0 changed, {count} unchanged, 0 removed" in said("import", name, "--tenant", "1")
    assert kept.version("1") == version


def test_what_a_file_no_longer_holds_is_removed_unless_it_is_to_be_kept(
    folder: Path, kept: Knowledge
) -> None:
    (folder / "faq.md").write_text(MARKDOWN, encoding="utf-8")
    (folder / "rules.html").write_text("<h2>Quiet</h2>After 22.", encoding="utf-8")
    said("import", "faq.md", "rules.html", "--tenant", "1")
    (folder / "faq.md").write_text("## Pool {#pool}\nFrom 9.\n\n## Gym\nNo.", encoding="utf-8")
    assert "1 new, 1 changed, 0 unchanged, 0 removed" in said(
        "import", "faq.md", "--tenant", "1", "--keep-missing"
    )
    assert "0 new, 0 changed, 2 unchanged, 1 removed" in said("import", "faq.md", "--tenant", "1")
    assert [document.id for document in kept.documents("1")] == ["gym", "pool", "rules-quiet"]


def test_if_one_file_is_wrong_nothing_of_any_is_imported(folder: Path, kept: Knowledge) -> None:
    (folder / "faq.md").write_text(MARKDOWN, encoding="utf-8")
    (folder / "rules.docx").write_bytes(zipped({"bomb.xml": " " * 60_000_000}))
    assert "unpacks to more than" in refused(
        InvalidRequest, "import", "faq.md", "rules.docx", "--tenant", "1"
    )
    assert list(kept.documents("1")) == []


def test_files_that_would_replace_one_another_are_refused(folder: Path) -> None:
    for name in ("a.md", "b.md", "sub/a.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(MARKDOWN, encoding="utf-8")
    assert "b.md: the id 'pool' is taken by a.md" in refused(InvalidRequest, "check", "a.md", "b.md")
    assert "has the name of a.md" in refused(InvalidRequest, "check", "a.md", "sub/a.md")


def test_an_id_that_came_from_another_file_is_told(folder: Path) -> None:
    for name in ("a.md", "b.md"):
        (folder / name).write_text(MARKDOWN, encoding="utf-8")
    said("import", "a.md", "--tenant", "1")
    assert "came from another file before, whose documents were replaced: pets, pool" in said(
        "import", "b.md", "--tenant", "1"
    )


def test_list_shows_season_hours_and_file(folder: Path) -> None:
    (folder / "faq.md").write_text(MARKDOWN, encoding="utf-8")
    said("import", "faq.md", "--tenant", "1")
    assert said("list", "--tenant", "1").splitlines() == [
        "pets\ten\tPets\t\t\tfaq.md",
        "pool\ten\tPool\t06-01..09-30\tSu-Fr 08:00-19:00\tfaq.md",
    ]


def test_check_shows_what_a_file_would_become_and_imports_nothing(folder: Path, kept: Knowledge) -> None:
    (folder / "faq.pdf").write_bytes(PDF)
    assert said("check", "faq.pdf").splitlines() == [
        "faq-pool\t7 characters\tPool\t\t",
        "faq-pets\t3 characters\tPets\t\t",
    ]
    assert list(kept.documents("1")) == []


def test_documents_are_removed_by_id_all_or_none(folder: Path, kept: Knowledge) -> None:
    kept.put_documents("1", [Document(key, key, "Text.", "en") for key in ("a", "b", "c")])
    assert "no document 'x'" in refused(NotFound, "remove", "a", "x", "--tenant", "1")
    assert "Removed 2 documents." in said("remove", "a", "b", "--tenant", "1")
    assert [document.id for document in kept.documents("1")] == ["c"]

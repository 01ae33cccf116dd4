"""A file that breaks or busies its reader costs one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from server.domain.phrases import Phrase
from server.errors import InvalidRequest
from server.knowledge.files.confined import read_confined
from server.knowledge.files.reading import read_documents

PAGE = '## Pool {#pool from=06-01 until=09-30 hours="24/7"}\nפתוחה.\n'


def test_documents_and_faults_come_back_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "faq.md"
    path.write_text(PAGE, encoding="utf-8")
    assert read_confined(path) == read_documents(path)
    path.write_text("x", encoding="utf-8")
    with pytest.raises(InvalidRequest, match=r"faq\.md, line 1: this text has no heading"):
        read_confined(path)


def test_a_fault_can_be_told_in_another_language_and_names_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "faq.jsonl"
    path.write_text("x", encoding="utf-8")
    with pytest.raises(InvalidRequest) as caught:
        read_confined(path, called="faq.jsonl")
    fault = caught.value.args[0]
    assert isinstance(fault, Phrase)
    assert fault.template == "{where}: is not JSON; write {example}"
    where = fault.values["where"]
    assert isinstance(where, Phrase)
    assert (where, where.template) == ("faq.jsonl, line 1", "{name}, {place}")


def test_a_name_that_is_no_text_does_not_get_into_the_documents(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.html")
    path.write_text("Open.", encoding="utf-8")
    (document,) = read_confined(path)
    assert (document.title, document.source) == ("caf?", "caf?.html")


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "faq.md"
    path.write_text(PAGE, encoding="utf-8")
    with pytest.raises(InvalidRequest, match="was not read within 0 s; split it"):
        read_confined(path, time_s=0.001)


def test_a_file_that_needs_too_much_memory_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "wide.html"
    path.write_text("<p>x" * 40_000, encoding="utf-8")
    with pytest.raises(InvalidRequest, match="cannot be read within the memory"):
        read_confined(path, memory_bytes=2**20)


def test_modules_beside_the_file_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(7)", encoding="utf-8")
    (tmp_path / "faq.md").write_text(PAGE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert len(read_confined(Path("faq.md"))) == 1

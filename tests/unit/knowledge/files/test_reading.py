"""Files of knowledge become documents, or one sentence that says what to mend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.knowledge import Document
from server.errors import InvalidRequest
from server.knowledge.files.documents import MAX_BODY
from server.knowledge.files.json_lines import parse_json_lines
from server.knowledge.files.reading import parse_markdown, read_documents

PAGE = """\
# Harbour House

## Parking {#parking}

Six spaces in **the yard**, see [the map](https://example.org/map).

- cars: ₪40
- motorbikes: free

## Pool
### Opening hours
From 8
to 20.

### Rules {#pool-rules}
1. Shower first
2. No diving
"""


def test_headings_with_their_text_are_documents() -> None:
    assert parse_markdown(PAGE, "faq.md") == [
        Document(
            "parking",
            "Parking",
            "Six spaces in the yard, see the map (https://example.org/map).\n\n"
            "- cars: ₪40\n- motorbikes: free",
            "en",
        ),
        Document("pool-opening-hours", "Pool: Opening hours", "From 8 to 20.", "en"),
        Document("pool-rules", "Pool: Rules", "1. Shower first\n2. No diving", "en"),
    ]


def test_a_file_named_by_a_language_marks_its_ids_with_it() -> None:
    (document,) = parse_markdown("## בריכה {#pool}\nאין בריכה.", "folder/faq.he.md")
    assert document == Document("pool.he", "בריכה", "אין בריכה.", "he")


def test_a_hebrew_heading_makes_a_hebrew_id() -> None:
    (document,) = parse_markdown("## שעות הבריכה\nמ-8 עד 20.", "faq.md")
    assert (document.id, document.language) == ("שעות-הבריכה", "he")


def test_the_first_heading_may_have_text_of_its_own() -> None:
    (document,) = parse_markdown("# About us\nA small house.", "faq.md")
    assert (document.id, document.title) == ("about-us", "About us")


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ("Hello\n\n## Pool\nNo.", 1, "write one above it"),
        ("## Pool\nNo.\n\n## Sauna\n\n## Gym\nYes.", 4, "write some or take the heading away"),
        ("## Pool\nNo.\n\n## Pool\nYes.", 4, "is taken by line 1; give another"),
        ("## Pool {#a}\nNo.\n\n## Gym {#a}\nYes.", 4, "is taken by line 1; give another"),
        ("## ???\nYes.", 1, "add one as {#my-id}"),
        ("## Pool\n" + "x" * (MAX_BODY + 1), 1, "shorten or split it"),
    ],
)
def test_a_fault_in_markdown_names_file_line_and_remedy(text: str, line: int, remedy: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_markdown(text, "faq.md")
    assert str(raised.value).startswith(f"faq.md, line {line}:")
    assert remedy in str(raised.value)


def test_each_line_of_json_is_a_document() -> None:
    lines = (
        '{"id": "pool", "title": " Pool ", "body": "No pool.", "more": 1}\n\n'
        '{"id": "he", "title": "x", "body": "שלום"}'
    )
    assert parse_json_lines(lines, "faq.jsonl") == [
        Document("pool", "Pool", "No pool.", "en"),
        Document("he", "x", "שלום", "he"),
    ]


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("{not json", "is not JSON; write"),
        ("[1]", "is not an object; write"),
        ('{"title": "Pool", "body": "No."}', '"id" is missing, empty or not text'),
        ('{"id": 7, "title": "Pool", "body": "No."}', '"id" is missing, empty or not text'),
        ('{"id": "b", "title": "Pool", "body": "  "}', '"body" is missing, empty or not text'),
        ('{"id": "b", "title": "Pool", "body": "\\ud800"}', "half of a character"),
        ('{"id": "a", "title": "Pool", "body": "No."}', "the id 'a' is taken by line 1; give another"),
        (json.dumps({"id": "b" * 200, "title": "Pool", "body": "No."}), "the id is longer than 128"),
    ],
)
def test_a_fault_in_json_names_file_line_and_remedy(line: str, remedy: str) -> None:
    good = '{"id": "a", "title": "Gym", "body": "Yes."}'
    with pytest.raises(InvalidRequest) as raised:
        parse_json_lines(f"{good}\n{line}\n", "faq.jsonl")
    assert str(raised.value).startswith("faq.jsonl, line 2:")
    assert remedy in str(raised.value)


@pytest.mark.parametrize("name", ["faq.jsonl", "faq.md"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(InvalidRequest, match="add at least one document"):
        read_documents(path)


def test_files_are_read_by_their_ending_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "faq.jsonl").write_text('{"id": "a", "title": "A", "body": "b"}', encoding="utf-8-sig")
    (tmp_path / "faq.MD").write_text("## A\nb", encoding="utf-8")
    assert read_documents(tmp_path / "faq.jsonl") == [Document("a", "A", "b", "en", source="faq.jsonl")]
    assert read_documents(tmp_path / "faq.MD") == [Document("a", "A", "b", "en", source="faq.MD")]


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "faq.txt").write_text("x", encoding="utf-8")
    (tmp_path / "faq.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidRequest, match=r"ends in \.jsonl"):
        read_documents(tmp_path / "faq.txt")
    with pytest.raises(InvalidRequest, match="save it as UTF-8"):
        read_documents(tmp_path / "faq.md")
    with pytest.raises(InvalidRequest, match="check the path"):
        read_documents(tmp_path / "missing.md")


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(st.lists(st.tuples(_TEXT, _TEXT, _TEXT), min_size=1, max_size=5))
def test_documents_written_as_json_are_read_back_or_refused(rows: list[tuple[str, str, str]]) -> None:
    lines = "\n".join(json.dumps({"id": key, "title": title, "body": body}) for key, title, body in rows)
    try:
        documents = parse_json_lines(lines, "faq.jsonl")
    except InvalidRequest:
        return
    read = [(document.id, document.title, document.body) for document in documents]
    assert read == [tuple(text.replace("\0", " ").strip() for text in row) for row in rows]


@given(st.text(alphabet="# ab\n-*`[](){}<>1.\t\\א", max_size=120))
def test_any_page_is_read_or_refused(text: str) -> None:
    try:
        documents = parse_markdown(text, "faq.md")
    except InvalidRequest:
        return
    assert len({document.id for document in documents}) == len(documents) > 0
    assert all(document.title and document.body for document in documents)

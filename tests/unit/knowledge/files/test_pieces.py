"""Long sections are told in several documents, and nothing of them is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.files.documents import LONG_BODY, pieces
from server.knowledge.files.reading import parse_markdown

PARAGRAPH = "word " * 200 + "end."


def test_a_long_section_becomes_several_documents_under_one_title() -> None:
    page = f"## Rules {{#r from=06-01 until=09-30}}\n{PARAGRAPH}\n\n{PARAGRAPH}\n\nShort.\n\n## R 2\nOther."
    documents = parse_markdown(page, "faq.he.md")
    assert [document.id for document in documents] == ["r.he", "r-3.he", "r-2.he"]
    assert documents[1].body == f"{PARAGRAPH}\n\nShort."
    assert {document.title for document in documents[:2]} == {"Rules"}
    assert {document.valid_until for document in documents[:2]} == {"09-30"}


def test_a_section_of_usual_length_stays_whole() -> None:
    assert pieces("a" * 700 + "\n\n" + "b" * 700) == ["a" * 700 + "\n\n" + "b" * 700]


def test_a_long_paragraph_is_cut_at_its_lines_and_a_long_line_at_its_sentences() -> None:
    lines = "\n".join(f"- item {number} " + "x" * 90 for number in range(40))
    assert all(piece.startswith("- item") for piece in pieces(lines))
    assert "\n".join(pieces(lines)) == lines
    sentences = " ".join(f"Sentence {number} is here." for number in range(300))
    assert all(piece.endswith(".") for piece in pieces(sentences))
    assert " ".join(pieces(sentences)) == sentences


@given(st.lists(st.tuples(st.integers(1, 900), st.sampled_from(["\n\n", "\n", ". ", " "])), max_size=20))
def test_no_word_is_lost_and_no_piece_is_long(parts: list[tuple[int, str]]) -> None:
    body = "".join("x" * length + separator for length, separator in parts).strip()
    cut = pieces(body)
    assert " ".join(cut).split() == body.split()
    assert all(len(piece) <= LONG_BODY or len(piece.split()) == 1 for piece in cut)

"""PDF files become documents by the sizes of their letters; Hebrew is read in its own order."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.errors import InvalidRequest
from server.knowledge.files import pdf_lines
from server.knowledge.files.bidi import as_read, is_reversed
from server.knowledge.files.reading import parse_pdf
from tests.support.files import Print, pdf


def read(*pages: list[Print]) -> dict[str, str]:
    """Title and body of each document."""
    return {document.title: document.body for document in parse_pdf(pdf(*pages), "folder/rules.pdf")}


def test_larger_letters_are_headings_and_gaps_part_paragraphs() -> None:
    page = [
        Print("House rules", 800, 24),
        Print("Pool", 760, 16),
        Print("The pool is open", 740),
        Print("from 8 to 20.", 726),
        Print("Children need company.", 698),
        Print("Pets", 660, 16),
        Print("• Dogs: yes", 640),
        Print("• Cats: no", 626),
    ]
    assert read(page) == {
        "Pool": "The pool is open from 8 to 20.\n\nChildren need company.",
        "Pets": "• Dogs: yes\n• Cats: no",
    }


def test_words_parted_at_the_end_of_a_line_are_joined_and_hyphens_that_stand_elsewhere_stay() -> None:
    page = [
        Print("Pool", 760, 16),
        Print("Bring a com-", 740),
        Print("panion. Check-", 726),
        Print("in is at 3, see check-in.", 712),
    ]
    assert read(page) == {"Pool": "Bring a companion. Check-in is at 3, see check-in."}


def test_a_sentence_goes_on_over_the_page_and_headers_and_footers_are_dropped() -> None:
    pages = [
        [
            Print("Hill Inn, house rules", 820, 9),
            Print(f"Topic {name}", 790, 16),
            Print("All of this is", 770),
            Print("one line of many,", 756),
            Print(f"{name} for short.", 742),
            Print("It has many words in it.", 728),
            Print(f"Page {number} of 3", 20, 9),
        ]
        for number, name in enumerate(["one", "two", "three"], start=1)
    ]
    pages[2][1:2] = []
    assert read(*pages) == {
        "Topic one": "All of this is one line of many, one for short. It has many words in it.",
        "Topic two": "All of this is one line of many, two for short. It has many words in it.\n\n"
        "All of this is one line of many, three for short. It has many words in it.",
    }


def test_without_headings_paragraphs_are_grouped_under_their_first_words() -> None:
    paragraph = "Each of these many words says a thing about the house and its garden."
    page = [Print(f"{number}: {paragraph} {paragraph}", 800 - 30 * number) for number in range(12)]
    told = read(page)
    assert len(told) == 3
    assert next(iter(told)) == "0: Each of these many words says a…"
    assert sum(body.count(paragraph) for body in told.values()) == 24
    assert all(len(body) <= 800 for body in told.values())


LOGICAL = [
    "בריכה",
    "הבריכה פתוחה בין 8:00-20:00 בימים ראשון עד חמישי.",
    "חניה (חינם) לאורחים, Wi-Fi Zone בכל החדרים",
    "המחיר ₪40 ללילה, 10% הנחה",
]
VISUAL = [
    "הכירב",
    ".ישימח דע ןושאר םימיב 8:00-20:00 ןיב החותפ הכירבה",
    "םירדחה לכב Wi-Fi Zone ,םיחרואל (םניח) הינח",
    "החנה 10% ,הלילל ₪40 ריחמה",
]
AS_LOOKED_AT = [line.translate(str.maketrans("()", ")(")) for line in VISUAL]


@pytest.mark.parametrize("stored", [LOGICAL, VISUAL, AS_LOOKED_AT], ids=["read", "seen", "mirrored"])
def test_hebrew_is_read_in_its_order_whichever_way_it_is_stored(stored: list[str]) -> None:
    heading, *lines = stored
    page = [Print(heading, 800, 20), *(Print(line, 760 - 30 * n) for n, line in enumerate(lines))]
    assert read(page) == {LOGICAL[0]: "\n\n".join(LOGICAL[1:])}


def test_parts_of_a_hebrew_line_are_ordered_by_where_they_stand() -> None:
    page = [
        Print("הכירב", 800, 20),
        Print("ןיב החותפ הכירבה", 700, x=200),
        Print("8:00-20:00", 700, x=140),
        Print("ןושאר םימיב", 700, x=60),
    ]
    assert read(page) == {"בריכה": "הבריכה פתוחה בין 8:00-20:00 בימים ראשון"}


def test_a_hebrew_word_in_an_english_line_is_turned_alone() -> None:
    assert as_read("The word הכירב (or ךרב) means pool 24") == "The word בריכה (or ברך) means pool 24"


def test_final_letters_tell_the_order() -> None:
    assert is_reversed(VISUAL)
    assert not is_reversed(LOGICAL)


def test_hebrew_without_spaces_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="its words run together"):
        parse_pdf(pdf([Print("ףוסהדעהכירבהתחתופםוילכבםיחרואלתינחםגשי", 700)]), "rules.pdf")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a sound PDF file"),
        (b"%PDF-1.4 nothing more", "is not a sound PDF file"),
        (pdf([Print("x", 700)])[:200], "is not a sound PDF file"),
        (pdf([]), "holds no text, only pictures"),
        (pdf([Print("x", 700)], encrypt=True), "is protected by a password"),
        (pdf(*[[]] * (pdf_lines.MAX_PAGES + 1)), "has more than 500 pages"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"rules\.pdf: .*{said}"):
        parse_pdf(content, "rules.pdf")


def test_a_file_with_too_much_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # The real limit takes seconds to reach.
    monkeypatch.setattr(pdf_lines, "MAX_CHARACTERS", 10)
    with pytest.raises(InvalidRequest, match="holds too much text"):
        parse_pdf(pdf([Print("x" * 11, 700)]), "rules.pdf")


WORDS = st.text(st.sampled_from("abcdexyz"), min_size=1, max_size=8)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.lists(WORDS, min_size=1, max_size=6), st.sampled_from([11, 11, 16])), min_size=1,
                max_size=12))  # fmt: skip
def test_no_word_of_a_page_is_lost(rows: list[tuple[list[str], int]]) -> None:
    page = [Print(" ".join(words), 800 - 25 * number, size) for number, (words, size) in enumerate(rows)]
    told = " ".join(f"{title} {body}" for title, body in _told(page))
    assert {word for words, _ in rows[1:] for word in words} <= set(told.replace(":", " ").split())


def _told(page: list[Print]) -> list[tuple[str, str]]:
    return [(document.title, document.body) for document in parse_pdf(pdf(page), "rules.pdf")]


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(pdf([Print("Pool", 800, 20), Print("Open from 8.", 760)]))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=12)):
        content[place] = data.draw(st.integers(0, 255))
    with suppress(InvalidRequest):
        assert parse_pdf(bytes(content), "rules.pdf")

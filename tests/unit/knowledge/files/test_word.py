"""Word documents become documents by their headings; hostile ones are refused in a sentence."""

from __future__ import annotations

import io
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from server.errors import InvalidRequest
from server.knowledge.files import word
from server.knowledge.files.reading import parse_word
from tests.support.files import TITLE, docx, docx_table, zipped


def read(content: bytes) -> dict[str, str]:
    """Title and body of each document."""
    return {document.title: document.body for document in parse_word(content, "folder/rules.docx")}


def test_headings_tables_and_paragraphs_are_kept() -> None:
    content = docx(
        [
            (TITLE, "House rules"),
            ("1", "Pool"),
            ("", "From 8."),
            ("", "Until 20 & later."),
            ("2", "Towels"),
            ("", docx_table([["Small", "₪5"], ["Large", "₪10"]])),
            ("1", "Pets"),
            ("", "No."),
        ]
    )
    assert read(content) == {
        "Pool": "From 8.\n\nUntil 20 & later.",
        "Pool: Towels": "Small: ₪5\nLarge: ₪10",
        "Pets": "No.",
    }


def test_a_document_without_headings_stands_under_the_name_of_its_file() -> None:
    assert read(docx([("", "אין בריכה.")])) == {"rules": "אין בריכה."}


def test_season_and_hours_stand_in_the_braces_of_a_heading() -> None:
    content = docx([("1", "Pool {#pool from=06-01 until=09-30 hours=“Su-Fr 08:00-19:00”}"), ("", "Yes.")])
    (document,) = parse_word(content, "rules.docx")
    assert (document.id, document.valid_until, document.hours) == ("rules-pool", "09-30", "Su-Fr 08:00-19:00")


def test_a_fault_names_the_heading() -> None:
    with pytest.raises(InvalidRequest, match=r"rules\.docx, 'Pool {from=1 June}': .* cannot be read"):
        parse_word(docx([("1", "Pool {from=1 June}"), ("", "Yes.")]), "rules.docx")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a Word document"),
        (b"\xd0\xcf\x11\xe0 an old .doc or an encrypted one", "is not a Word document"),
        (zipped({"a.txt": "x"}), "is not a sound Word document"),
        (docx([("", "x")])[:-30], "is not a Word document"),
        (docx([("", "<w:p>")]), "is not a sound Word document"),
        (docx([("", "<w:p>" * 3000 + "</w:p>" * 3000)]), "is not a sound Word document"),
        (docx([]), "there is nothing in it"),
    ],
)  # fmt: skip
def test_what_is_no_sound_document_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"rules\.docx: .*{said}"):
        parse_word(content, "rules.docx")


@pytest.mark.parametrize("packing", [ZIP_DEFLATED, ZIP_LZMA])
def test_a_part_that_is_damaged_inside_is_refused(packing: int) -> None:
    packed = io.BytesIO()
    with ZipFile(packed, "w", packing) as archive:
        archive.writestr("word/document.xml", "<w:document/>" * 100)
    content = bytearray(packed.getvalue())
    begin = 30 + len("word/document.xml")
    content[begin : begin + 12] = b"\xff" * 12
    with pytest.raises(InvalidRequest, match="is not a Word document"):
        read(bytes(content))


def test_a_file_that_unpacks_to_too_much_is_refused_unread() -> None:
    bomb = docx([("", "x")], {"word/comments.xml": " " * (word.MAX_UNPACKED_BYTES + 1)})
    assert len(bomb) < 100_000
    with pytest.raises(InvalidRequest, match="unpacks to more than 50 MB"):
        parse_word(bomb, "rules.docx")
    many = zipped({f"part{number}": "" for number in range(word.MAX_PARTS + 1)})
    with pytest.raises(InvalidRequest, match="unpacks to more than"):
        parse_word(many, "rules.docx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_unread(encoding: str) -> None:
    declaration = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'
    hostile = docx([("", "x")], {"word/styles.xml": declaration.encode(encoding).decode("latin-1")})
    with pytest.raises(InvalidRequest, match="declarations that Word does not write"):
        parse_word(hostile, "rules.docx")


def test_an_entity_hidden_in_a_part_called_a_picture_names_no_file() -> None:
    content = docx(
        [("", "x")],
        {
            "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            'officeDocument" Target="word/a.png"/></Relationships>',
            "word/a.png": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
            '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
            "<w:body><w:p><w:r><w:t>seen &b;</w:t></w:r></w:p></w:body></w:document>",
        },
    )
    assert read(content) == {"rules": "seen"}

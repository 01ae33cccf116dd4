"""Small files as word processors and PDF writers make them."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    'officeDocument" Target="word/document.xml"/></Relationships>',
    "word/styles.xml": f"<w:styles {_W}>"
    + '<w:style w:type="paragraph" w:styleId="a"><w:name w:val="Title"/></w:style>'
    + "".join(
        f'<w:style w:type="paragraph" w:styleId="{level}"><w:name w:val="heading {level}"/></w:style>'
        for level in range(1, 4)
    )
    + "</w:styles>",
    "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="s1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/styles" Target="styles.xml"/></Relationships>',
}

TITLE = "a"


def docx(paragraphs: Sequence[tuple[str, str]], extra: Mapping[str, str] | None = None) -> bytes:
    """A Word document of (style, text): ``"1"`` to ``"3"`` for headings, ``TITLE``, or ``""`` for plain text.

    A text that begins with ``<`` is XML.
    """
    body = "".join(text if text.startswith("<") else _paragraph(style, text) for style, text in paragraphs)
    document = f"<w:document {_W}><w:body>{body}</w:body></w:document>"
    return zipped({**_PARTS, "word/document.xml": document, **(extra or {})})


def docx_table(rows: Sequence[Sequence[str]]) -> str:
    """The XML of a table, for `docx`."""
    cells = ("".join(f"<w:tc>{_paragraph('', cell)}</w:tc>" for cell in row) for row in rows)
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def zipped(parts: Mapping[str, str]) -> bytes:
    """An archive of texts by name."""
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


def _paragraph(style: str, text: str) -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


class Print(NamedTuple):
    """Text on a page, its characters in the order in which the file stores them."""

    text: str
    y: float
    size: float = 11
    x: float = 72


def pdf(*pages: Sequence[Print], encrypt: bool = False) -> bytes:
    """A PDF file; up to 255 different characters."""
    characters = sorted({character for page in pages for item in page for character in item.text})
    codes = {character: code for code, character in enumerate(characters, start=1)}
    mapping = "".join(
        f"<{code:02X}> <{character.encode('utf-16-be').hex().upper()}>\n" for character, code in codes.items()
    )
    to_unicode = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def\n"
        "1 begincodespacerange <00> <FF> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{mapping}endbfchar\nendcmap end end"
    )
    widths = " ".join(["500"] * 256)
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 0 /LastChar 255 /Widths [{widths}]"
        " /ToUnicode 4 0 R >>".encode(),
        _stream(to_unicode.encode()),
    ]
    for number, page in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {6 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(_stream("\n".join(_shown(item, codes) for item in page).encode()))
    if encrypt:
        return _written(objects, "/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + "41" * 32 + "> /U <"
                        + "42" * 32 + "> >> /ID [<00> <00>]")  # fmt: skip
    return _written(objects, "")


def _shown(item: Print, codes: Mapping[str, int]) -> str:
    coded = "".join(f"{codes[character]:02X}" for character in item.text)
    return f"BT /F1 {item.size} Tf {item.x} {item.y} Td <{coded}> Tj ET"


def _stream(content: bytes) -> bytes:
    packed = zlib.compress(content)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)


def _written(objects: Sequence[bytes], trailer: str) -> bytes:
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    return (
        content
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer << /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\n"
            f"startxref\n{len(content)}\n%%EOF\n"
        ).encode()
    )

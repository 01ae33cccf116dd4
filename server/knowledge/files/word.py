"""A Word document (.docx) as sections, by way of HTML."""

from __future__ import annotations

import io
import re
import zlib
from lzma import LZMAError
from zipfile import BadZipFile, ZipFile

import mammoth  # type: ignore[import-untyped]
from bs4.element import Tag

from server.domain.phrases import Phrase
from server.errors import InvalidRequest
from server.knowledge.files.html import html_sections
from server.knowledge.files.outline import Section

MAX_UNPACKED_BYTES = 50 * 2**20
MAX_PARTS = 5_000
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".emf", ".wmf", ".tiff", ".bmp")
# What zipfile raises for what is no archive, is cut off or damaged, locked, or packed in a way it lacks.
_UNREADABLE = (
    BadZipFile,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    LZMAError,
)
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# A title stands above headings of the first level. Word names these styles in lower case, others do not.
_STYLES = "\n".join(
    [
        "p[style-name='Title'] => h1:fresh",
        *(
            f"p{style} => h{min(level + 1, 6)}:fresh"
            for level in range(1, 7)
            for style in (
                f"[style-name='heading {level}']",
                f"[style-name='Heading {level}']",
                f".Heading{level}",
            )
        ),
    ]
)


def word_sections(content: bytes, name: str, title: str) -> list[Section]:
    """The sections of a document in order; *title* stands above text without a heading.

    Raises:
        InvalidRequest: it is not a Word document, or a larger one than is read.
    """
    _check_parts(content, name)
    try:
        html = mammoth.convert_to_html(
            io.BytesIO(content),
            style_map=_STYLES,
            include_embedded_style_map=False,
            external_file_access=False,
            convert_image=lambda _image: [],
        ).value
    except MemoryError:
        raise
    except Exception as error:  # a broken document breaks mammoth in many ways
        raise InvalidRequest(
            Phrase(
                "{name}: is not a sound Word document; open it in Word and save it again as .docx", name=name
            )
        ) from error
    return html_sections(html, name, title, _place)


def _check_parts(content: bytes, name: str) -> None:
    """Before mammoth unpacks anything. zipfile never unpacks more of a part than its stated size."""
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise InvalidRequest(
                    Phrase(
                        "{name}: unpacks to more than {most} MB; split it into several files, or take"
                        " pictures out",
                        name=name,
                        most=MAX_UNPACKED_BYTES // 2**20,
                    )
                )
            declares = any(
                _DECLARATION.search(archive.read(part).replace(b"\0", b""))
                for part in parts
                if not part.filename.lower().endswith(_PICTURES)
            )
    except _UNREADABLE as error:
        raise InvalidRequest(
            Phrase(
                "{name}: is not a Word document, or is protected by a password; save it again as .docx",
                name=name,
            )
        ) from error
    # Word writes none; entities that grow, or that name other files, stand only there.
    if declares:
        raise InvalidRequest(
            Phrase("{name}: holds declarations that Word does not write; save it again in Word", name=name)
        )


def _place(tag: Tag) -> str:
    return repr(tag.get_text()[:60])

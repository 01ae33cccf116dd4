"""A file is what its first bytes say, and gets a name that no system takes for anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.file_types import file_type, saved_name


@pytest.mark.parametrize(
    ("head", "mimetype", "is_shown"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg", True),
        (b"\x89PNG\r\n\x1a\n", "image/png", True),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp", True),
        (b"OggS\x00\x02", "audio/ogg", True),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4", True),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4", True),
        (b"\x00\x00\x00\x20ftypheic", "image/heic", False),
        (b"%PDF-1.7\n", "application/pdf", False),
        (b"<html><script>", "application/octet-stream", False),
        (b"<svg xmlns=", "application/octet-stream", False),
        (b"", "application/octet-stream", False),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head: bytes, mimetype: str, is_shown: bool) -> None:
    found = file_type(head, "holiday.jpg")
    assert (found.mimetype, found.is_shown) == (mimetype, is_shown)


@given(st.binary(max_size=16))
def test_nothing_that_a_browser_runs_is_shown(head: bytes) -> None:
    found = file_type(head, "page.html")
    assert not found.is_shown or found.mimetype.partition("/")[0] in ("image", "audio", "video")
    assert found.mimetype != "image/svg+xml"


@pytest.mark.parametrize(
    ("name", "suffix"), [("bill.docx", ".docx"), ("Bill.XLSX", ".xlsx"), ("run.jar", ".zip"), ("", ".zip")]
)
def test_of_archives_those_of_office_programs_keep_their_suffix(name: str, suffix: str) -> None:
    assert file_type(b"PK\x03\x04\x14\x00", name).suffix == suffix


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("contract.pdf", "contract.pdf"),
        ("Passport_Dana (2).PDF", "Passport Dana 2.pdf"),
        ("חוזה שכירות.pdf", "חוזה שכירות.pdf"),
        ("invoice.pdf.exe", "invoice pdf exe.pdf"),
        ("../../etc/passwd", "etc passwd.pdf"),
        ("", "file 7.pdf"),
    ],
)
def test_a_file_is_saved_under_the_words_of_its_name(name: str, saved: str) -> None:
    assert saved_name(name, ".pdf", "file 7") == saved


@given(st.text(max_size=200))
def test_no_name_leads_out_of_a_folder_or_breaks_a_header(name: str) -> None:
    saved = saved_name(name, ".bin", "file 7")
    assert saved.endswith(".bin")
    assert len(saved) <= 64
    assert not set(saved) & set('/\\:"\r\n\0')
    assert not saved.startswith(".")

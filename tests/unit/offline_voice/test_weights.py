"""Only the weights that were tried are loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from offline_voice.weights import SHA256, WrongWeights, checked


def test_a_file_with_the_pinned_content_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights")
    assert checked(file, hashlib.sha256(b"weights").hexdigest()) == file


def test_a_file_that_was_changed_is_not(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights!")
    with pytest.raises(WrongWeights, match=r"model\.bin is not the one that was tried"):
        checked(file, hashlib.sha256(b"weights").hexdigest())


def test_a_file_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(WrongWeights, match="install"):
        checked(tmp_path / "model.bin", "0" * 64)


def test_every_file_of_weights_is_pinned() -> None:
    assert all(len(digest) == 64 for digest in SHA256.values())

"""A sealed secret is opened by its key and under its label alone."""

from __future__ import annotations

import pytest

from server.adapters.aes_seal import AesSeal
from server.errors import SettingsError

KEY = bytes(range(32))


def test_what_was_sealed_is_opened() -> None:
    seal = AesSeal(KEY)
    sealed = seal.seal(b"a secret", "of user 1")
    assert b"a secret" not in sealed
    assert seal.open(sealed, "of user 1") == b"a secret"


def test_the_same_secret_is_never_sealed_alike() -> None:
    seal = AesSeal(KEY)
    assert seal.seal(b"a secret", "x") != seal.seal(b"a secret", "x")


def test_another_key_another_label_and_a_change_are_refused() -> None:
    sealed = AesSeal(KEY).seal(b"a secret", "of user 1")
    with pytest.raises(SettingsError, match="staff-key"):
        AesSeal(bytes(32)).open(sealed, "of user 1")
    for changed, label in (
        (sealed, "of user 2"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), "of user 1"),
        (sealed[:5], "of user 1"),
        (b"", "of user 1"),
    ):
        with pytest.raises(SettingsError):
            AesSeal(KEY).open(changed, label)

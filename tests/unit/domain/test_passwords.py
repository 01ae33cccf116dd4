"""What is tried first is no password."""

from __future__ import annotations

import pytest

from server.domain.passwords import LEAST_LENGTH, is_obvious, make_password


@pytest.mark.parametrize(
    "password",
    [
        "password12", "Password1!", "1234567890", "0987654321", "qwertyuiop", "QWERTYUIOP", "aaaaaaaaaa",
        "abababababab", "abcdefghij", "1q2w3e4r5t", "letmein1234", "administrator", "frontdesk2026",
        "0541234567", "Noa Levi 1", "noa-2026-11-21", "harbour house", "hotelhotel", "21.11.2026!",
    ],
)  # fmt: skip
def test_an_obvious_password_is_known_as_one(password: str) -> None:
    assert is_obvious(password, "Noa Levi", "noa", "Harbour House")


@pytest.mark.parametrize(
    "password", ["correct horse battery", "שמש גשם חלון ספר", "x7#kQ!vv29pL", "a harbour at dawn"]
)
def test_a_password_that_takes_thought_is_not(password: str) -> None:
    assert not is_obvious(password, "Noa Levi", "noa", "Harbour House")


def test_a_password_that_is_made_may_be_kept() -> None:
    made = {make_password() for _ in range(20)}
    assert len(made) == 20
    assert not any(is_obvious(one, "Noa") for one in made)
    assert min(map(len, made)) >= LEAST_LENGTH

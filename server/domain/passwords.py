"""Which passwords staff may choose, and passwords that are made for them."""

from __future__ import annotations

import secrets

LEAST_LENGTH = 10
MOST_LENGTH = 256
_MADE_BYTES = 15
_LEAST_LETTERS = 5
# What is tried first everywhere; digits and signs around such a word add little.
_OBVIOUS = frozenset({
    "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "letmein", "welcome", "admin",
    "administrator", "login", "changeme", "secret", "iloveyou", "sunshine", "princess", "football",
    "baseball", "superman", "trustno", "master", "monkey", "dragon", "shadow", "hotel", "reception",
    "frontdesk", "default", "guest", "test", "testtest", "sisma", "shalom",
})  # fmt: skip
_ROWS = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "1q2w3e4r5t6y7u8i9o0p",
)


def make_password() -> str:
    """A password at random, of 120 bits."""
    return secrets.token_urlsafe(_MADE_BYTES)


def is_obvious(password: str, *names: str) -> bool:
    """Whether *password* is among the first that somebody would try, who knows *names*."""
    folded = password.casefold()
    if len(set(folded)) < _LEAST_LETTERS or any(folded in row for row in _ROWS):
        return True
    # Nothing but digits and signs is a date or a phone number.
    known = {"", *_OBVIOUS, *(_core(name) for name in names)}
    half = len(folded) // 2
    is_doubled = folded[:half] == folded[half:]
    return _core(folded) in known or (is_doubled and _core(folded[:half]) in known)


def _core(text: str) -> str:
    """The word in it, without what is put around a word to make it pass."""
    return text.casefold().strip(" 0123456789!?.,*#$@-_+=&%")

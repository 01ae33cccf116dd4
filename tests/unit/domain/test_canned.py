"""Placeholders of replies that staff write often."""

from __future__ import annotations

import pytest

from server.domain.canned import PLACEHOLDERS, fill, gaps, unknown_placeholders


def test_every_placeholder_is_filled_in() -> None:
    values = {name: name.upper() for name in PLACEHOLDERS}
    text = "Hello {guest}, {me} of {business} here: {phone}, {hours}. {guest}!"
    assert fill(text, values) == "Hello GUEST, ME of BUSINESS here: PHONE, HOURS. GUEST!"


@pytest.mark.parametrize("values", [{}, {"guest": ""}, {"guest": "  "}])
def test_what_is_not_known_leaves_a_gap_that_is_found(values: dict[str, str]) -> None:
    text = fill("Hello {guest}, call {phone} or {phone}.", values)
    assert text == "Hello [guest], call [phone] or [phone]."
    assert gaps(text) == ["[guest]", "[phone]"]


def test_a_guest_s_name_is_no_placeholder() -> None:
    assert fill("Hello {guest}", {"guest": "{me}", "me": "Noa"}) == "Hello {me}"


def test_other_brackets_are_no_gaps() -> None:
    assert gaps("[Guest] [the guest] guest [1] (guest)") == []


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("Hello {guest}", []),
        ("Hello {name} {Guest} {} {name}", ["{name}", "{Guest}", "{}"]),
        ("A { that stands alone }, and one on {two\nlines}", ["{ that stands alone }"]),
    ],
)
def test_unknown_placeholders_are_named(text: str, unknown: list[str]) -> None:
    assert unknown_placeholders(text) == unknown

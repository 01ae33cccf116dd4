"""One-time passwords are those of the standard, and are good for about a minute."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.domain.totp import as_typed, code_of, key_uri, make_secret, matching_step, step_at

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC)


# RFC 6238, appendix B, of which our codes are the last six digits.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert code_of(SECRET, step_at(datetime.fromtimestamp(seconds, UTC))) == code[-6:]


@pytest.mark.parametrize(("off", "is_good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_good_one_step_before_and_after_its_own(off: int, is_good: bool) -> None:
    step = step_at(NOW) + off
    assert matching_step(SECRET, code_of(SECRET, step), NOW, after=0) == (step if is_good else None)


def test_a_code_is_not_good_once_its_step_was_used() -> None:
    step = step_at(NOW)
    assert matching_step(SECRET, code_of(SECRET, step), NOW, after=step) is None
    assert matching_step(SECRET, code_of(SECRET, step + 1), NOW, after=step) == step + 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\0" * 6])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert matching_step(SECRET, code, NOW, after=0) is None


def test_the_key_is_told_to_apps_as_they_expect_it() -> None:
    assert as_typed(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert key_uri(SECRET, "נועה & co") == (
        "otpauth://totp/Frontdesk:%D7%A0%D7%95%D7%A2%D7%94%20%26%20co"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Frontdesk"
    )


def test_no_two_secrets_are_alike() -> None:
    assert len({make_secret() for _ in range(10)}) == 10

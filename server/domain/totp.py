"""Time-based one-time passwords: what an authenticator app shows, and when it is good.

Source: RFC 6238 with its defaults (HMAC-SHA-1, 30 seconds, from 1970 on), of 6 digits; the address that a QR
code holds is Google Authenticator's "Key Uri Format", which the others read too.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime
from hashlib import sha1
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
# A phone's clock may be a step off, or the code have been typed slowly.
_STEPS_OFF = 1
# What RFC 4226 recommends for SHA-1.
_SECRET_BYTES = 20
_ISSUER = "Frontdesk"


def make_secret() -> bytes:
    """A secret at random."""
    return secrets.token_bytes(_SECRET_BYTES)


def step_at(now: datetime) -> int:
    """The number of the step that *now* is in."""
    return int(now.timestamp()) // STEP_S


def code_of(secret: bytes, step: int) -> str:
    """The code of a step: `DIGITS` digits."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), sha1)
    place = digest[-1] & 0x0F
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: bytes, code: str, now: datetime, after: int) -> int | None:
    """The step that *code* is of, among those that are good now and come *after* one.

    Takes as long for any code of the same length.
    """
    current = step_at(now)
    steps = range(current - _STEPS_OFF, current + _STEPS_OFF + 1)
    typed = code.encode()
    found = [step for step in steps if hmac.compare_digest(code_of(secret, step).encode(), typed)]
    return next((step for step in found if step > after), None)


def as_typed(secret: bytes) -> str:
    """*secret* as people type it: letters and digits in groups of four."""
    letters = base64.b32encode(secret).decode()
    return " ".join(letters[place : place + 4] for place in range(0, len(letters), 4))


def key_uri(secret: bytes, account: str) -> str:
    """What the QR code holds."""
    letters = base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/{_ISSUER}:{quote(account, safe='')}?secret={letters}&issuer={_ISSUER}"

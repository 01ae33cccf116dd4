"""Resend's e-mail API, for tests: takes what the real one takes and refuses what it refuses.

Errors are those of https://resend.com/docs/api-reference/errors: 401 without a key, 403 with a wrong one or
from a domain that was not verified, 422 for what is missing or is no address, 409 for another e-mail under a
used idempotency key, 429 when told to. Nothing leaves the process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from simulators.http_server import Answer, Request

KEY = "re_simulator"
DOMAIN = "desk.example"
_ADDRESS = re.compile(r"(?:[^<>]*<)?[^@\s<>]+@([^@\s<>]+\.[^@\s<>]+)>?")
_LONGEST_KEY = 256


class Resend:
    """One account with one key and one verified domain."""

    def __init__(self) -> None:
        self.mails: list[Mapping[str, Any]] = []
        # Statuses with which the next requests fail.
        self.outages: list[int] = []
        self._taken: dict[str, tuple[Mapping[str, Any], str]] = {}

    async def handle(self, request: Request, answer: Answer) -> None:
        """Answer one request."""
        status, body = self._judge(request)
        answer.json(status, body)

    def _judge(self, request: Request) -> tuple[int, Mapping[str, Any]]:
        if self.outages:
            return _error(self.outages.pop(0), "internal_server_error", "told to fail")
        if (request.method, request.path) != ("POST", "/emails"):
            return _error(404, "not_found", "there is no such endpoint")
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            return _error(401, "missing_api_key", "Missing API key in the authorization header")
        if key != KEY:
            return _error(403, "invalid_api_key", "API key is invalid")
        try:
            mail = json.loads(request.body)
        except ValueError:
            return _error(422, "validation_error", "the body is not JSON")
        fault = _fault_of(mail)
        return fault or self._take(mail, request.headers.get("idempotency-key", ""))

    def _take(self, mail: Mapping[str, Any], key: str) -> tuple[int, Mapping[str, Any]]:
        if len(key) > _LONGEST_KEY:
            return _error(400, "invalid_idempotency_key", "The key must be between 1-256 chars")
        if key in self._taken:
            before, taken_id = self._taken[key]
            if before != mail:
                return _error(409, "invalid_idempotent_request", "Same idempotency key, different payload")
            return 200, {"id": taken_id}
        self.mails.append(mail)
        mail_id = f"mail-{len(self.mails)}"
        if key:
            self._taken[key] = (mail, mail_id)
        return 200, {"id": mail_id}


def _fault_of(mail: object) -> tuple[int, Mapping[str, Any]] | None:
    if not isinstance(mail, Mapping):
        return _error(422, "validation_error", "the body is no object")
    for field in ("from", "to", "subject"):
        if not mail.get(field):
            return _error(422, "missing_required_field", f"Missing `{field}` field")
    if not mail.get("text") and not mail.get("html"):
        return _error(422, "validation_error", "Missing `html` or `text` field")
    sender = _ADDRESS.fullmatch(str(mail["from"]))
    recipients = [mail["to"]] if isinstance(mail["to"], str) else mail["to"]
    if sender is None:
        return _error(422, "invalid_from_address", "Invalid `from` field")
    if not all(isinstance(one, str) and _ADDRESS.fullmatch(one) for one in recipients):
        return _error(422, "validation_error", "Invalid `to` field")
    if sender[1] != DOMAIN:
        return _error(403, "validation_error", f"The {sender[1]} domain is not verified")
    return None


def _error(status: int, name: str, message: str) -> tuple[int, Mapping[str, Any]]:
    return status, {"statusCode": status, "name": name, "message": message}

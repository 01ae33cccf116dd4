"""Reads JSON bodies; what is wrong with one is said in a sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from flask import Request

from server.errors import InvalidRequest, PayloadTooLarge, UnprocessableRequest


def json_object(request: Request) -> Mapping[str, Any]:
    """The request's body as a JSON object, whatever its content type says.

    Raises:
        InvalidRequest: it is none.
        PayloadTooLarge: it is as long as the application's limit, or longer.
    """
    data = request.get_data()
    # A body that comes in chunks is not refused by its length but cut off at the limit.
    if len(data) >= (request.max_content_length or sys.maxsize):
        raise PayloadTooLarge("the body is too large: send fewer messages at a time")
    return read_object(data, "the body")


def read_object(data: bytes | str, what: str) -> Mapping[str, Any]:
    """*data* as a JSON object; *what* names it to whoever sent it.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidRequest(f"{what} must be JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise InvalidRequest(f"{what} must be a JSON object")
    return body


def text_field(body: Mapping[str, Any], name: str, longest: int) -> str:
    """A text of the body, without the blanks around it, as every database can keep it.

    Raises:
        UnprocessableRequest: it is none, empty, or longer than *longest* characters.
    """
    value = body.get(name)
    # Counted with the blanks, as the API's description does.
    if isinstance(value, str) and len(value) <= longest:
        value = value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise UnprocessableRequest(f"{name} must be a text of 1 to {longest} characters")
    return value


def switch_field(body: Mapping[str, Any], name: str) -> bool | None:
    """A yes or no of the body; None where it is missing or null.

    Raises:
        UnprocessableRequest: it is something else.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise UnprocessableRequest(f"{name} must be true or false")
    return value

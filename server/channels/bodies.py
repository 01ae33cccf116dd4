"""Reads JSON bodies; what is wrong with one is said in a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Request

from server.errors import InvalidRequest


def json_object(request: Request) -> Mapping[str, Any]:
    """The request's body as a JSON object, whatever its content type says.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise InvalidRequest("the body must be JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise InvalidRequest("the body must be a JSON object")
    return body

"""Between our words and those of OpenAI's chat completions: what a request holds, what headers tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from server.llm.profiles import ModelProfile
from server.ports.ai import ChatLine, ModelRequest, RateHeaders, ToolCall, ToolSpec

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_PLAIN_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_NUMBER = re.compile(r"\d{1,15}")
_PARTS_S = (3600.0, 60.0, 1.0, 0.001)
_TOO_MANY_REQUESTS = 429


def request_body(profile: ModelProfile, request: ModelRequest) -> dict[str, Any]:
    """The body of a request for a chat completion, but ``stream`` itself."""
    body: dict[str, Any] = {
        "model": profile.model,
        "messages": [_message(line) for line in request.lines],
        "max_completion_tokens" if profile.is_reasoning else "max_tokens": profile.max_tokens,
        "stream_options": {"include_usage": True},
    }
    if profile.temperature is not None:
        body["temperature"] = profile.temperature
    if profile.stop:
        body["stop"] = list(profile.stop)
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    return body


def rate_headers(headers: Mapping[str, str], status: int = 200) -> RateHeaders | None:
    """What *headers* of an answer tell of limits; None if that is nothing.

    Source: https://developers.openai.com/api/docs/guides/rate-limits. A 429 that tells no more than
    ``Retry-After`` says that no request is left until then.
    """
    told = RateHeaders(
        limit_requests=_number(headers.get("x-ratelimit-limit-requests")),
        limit_tokens=_number(headers.get("x-ratelimit-limit-tokens")),
        remaining_requests=_number(headers.get("x-ratelimit-remaining-requests")),
        remaining_tokens=_number(headers.get("x-ratelimit-remaining-tokens")),
        reset_requests_s=duration_s(headers.get("x-ratelimit-reset-requests")),
        reset_tokens_s=duration_s(headers.get("x-ratelimit-reset-tokens")),
    )
    if told != RateHeaders():
        return told
    wait_s = duration_s(headers.get("retry-after")) if status == _TOO_MANY_REQUESTS else None
    return None if wait_s is None else RateHeaders(remaining_requests=0, reset_requests_s=wait_s)


def duration_s(text: str | None) -> float | None:
    """Seconds in ``6m0s``, ``20ms``, ``1.5s`` or plain ``30``; None in anything else."""
    if not text:
        return None
    if _PLAIN_SECONDS.fullmatch(text):
        return float(text)
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    return sum(float(part) * unit for part, unit in zip(found.groups("0"), _PARTS_S, strict=True))


def _number(text: str | None) -> int | None:
    return int(text) if text and _NUMBER.fullmatch(text) else None


def _message(line: ChatLine) -> dict[str, Any]:
    if line.tool_call_id:
        return {"role": line.role, "content": line.content, "tool_call_id": line.tool_call_id}
    if line.tool_calls:
        # The API wants null, not an empty text, from an assistant who said nothing besides.
        return {
            "role": line.role,
            "content": line.content or None,
            "tool_calls": _asked(line.tool_calls),
        }
    return {"role": line.role, "content": line.content}


def _asked(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}

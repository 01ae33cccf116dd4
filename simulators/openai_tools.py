"""Tool calls in chat completions: what a request may say of them, and how an answer makes them.

Source: OpenAI's API reference for chat completions, and errors as the API words them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_PIECE_CHARS = 8


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


_Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class _Function(_Strict):
    name: _Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(_Strict):
    """A tool that the model may ask for."""

    type: Literal["function"]
    function: _Function


class _Named(_Strict):
    name: _Name


class NamedChoice(_Strict):
    """This tool and no other."""

    type: Literal["function"]
    function: _Named


ToolChoice = Literal["none", "auto", "required"] | NamedChoice


class _Asked(_Strict):
    name: str
    arguments: str


class AskedTool(_Strict):
    """A tool call in an assistant's message."""

    id: str
    type: Literal["function"]
    function: _Asked


class ScriptedCall(BaseModel):
    """A tool call that a rule makes. ``arguments`` that are text are sent as they are, broken JSON too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    arguments: dict[str, Any] | str = Field(default_factory=dict)

    @property
    def written(self) -> str:
        """The arguments as the model writes them."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


def parts_of(calls: Sequence[ScriptedCall], answer: str) -> list[dict[str, Any]]:
    """*calls* as a whole answer holds them; *answer* makes their ids unlike those of others."""
    return [
        {
            "id": _call_id(answer, place),
            "type": "function",
            "function": {"name": call.name, "arguments": call.written},
        }
        for place, call in enumerate(calls)
    ]


def fragments_of(calls: Sequence[ScriptedCall], answer: str) -> Iterator[dict[str, Any]]:
    """*calls* as a stream tells them: first id and name of each, then its arguments in pieces."""
    for place, call in enumerate(calls):
        begun = {
            "index": place,
            "id": _call_id(answer, place),
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        yield {"tool_calls": [begun]}
        for start in range(0, len(call.written), _PIECE_CHARS):
            piece = call.written[start : start + _PIECE_CHARS]
            yield {"tool_calls": [{"index": place, "function": {"arguments": piece}}]}


def wrong_schema(parameters: Mapping[str, Any] | None) -> str:
    """What the API has against a tool's parameters; empty if nothing."""
    kind = "object" if parameters is None else parameters.get("type")
    if kind == "object":
        return ""
    got = "None" if kind is None else json.dumps(kind)
    return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {got}'."


def _call_id(answer: str, place: int) -> str:
    return f"call_{answer}_{place}"

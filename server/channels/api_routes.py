"""The calls of the public API, in one table; `openapi` describes them from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from server.channels import api_schemas as schemas
from server.channels.benchmark import MOST_ITERATIONS
from server.channels.chat_streams import NOTHING_SEEN
from server.channels.conversations import MOST_ON_A_PAGE
from server.domain.conversations import Mode

# Empty: the first page.
_CURSOR = r"^([0-9]{1,18}\.[0-9]{1,18})?$"
_EVENT_ID = "[0-9]{1,18}-[0-9]{1,9}"
_LARGEST_ID = 2**63 - 1
# What may be wrong with a body.
_BODY = (400, 413, 422)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One call. ``answers`` has a model or a media type with a schema for each status that is no failure."""

    method: str
    path: str
    name: str
    summary: str
    answers: Mapping[int, type[BaseModel] | Mapping[str, Any]]
    body: type[BaseModel] | None = None
    parameters: Sequence[Mapping[str, Any]] = ()
    failures: Sequence[int] = ()
    needs_key: bool = True
    has_limit: bool = False
    description: str = ""
    tags: Sequence[str] = ()


def _query(name: str, description: str, **schema: Any) -> Mapping[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_CONVERSATION = {
    "name": "conversation_id",
    "in": "path",
    "required": True,
    "description": "A conversation of the key's tenant.",
    "schema": {"type": "integer", "minimum": 0, "maximum": _LARGEST_ID},
}
_CALL = {
    "name": "call_id",
    "in": "path",
    "required": True,
    "description": "A call of the key's tenant; Twilio's CallSid.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9]{1,64}$"},
}
_RECORDING = {
    "name": "number",
    "in": "path",
    "required": True,
    "description": "From 1 on; a call that was put through and came back has two.",
    "schema": {"type": "integer", "minimum": 1, "maximum": _LARGEST_ID},
}
_RANGE = {
    "name": "Range",
    "in": "header",
    "description": "Only this part, as players ask for it that seek.",
    "schema": {"type": "string", "pattern": "^bytes=[0-9]{1,18}-$"},
    "example": "bytes=65536-",
}
_WAV = {"audio/wav": {"schema": {"type": "string", "contentMediaType": "audio/wav"}}}
_LAST_EVENT = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "With the same call again: go on after this event of its stream. 0: none was seen.",
    "schema": {"type": "string", "pattern": f"^({_EVENT_ID}|{NOTHING_SEEN})$"},
    "example": "17-5",
}
_LIMIT = _query("limit", "How many at most.", type="integer", minimum=1, maximum=MOST_ON_A_PAGE)
_BEFORE = _query("before", "`before` of the page after which this one comes.", type="string", pattern=_CURSOR)
_EVENTS = """\
Server-sent events, each with `id: MESSAGE-NUMBER` and a line of JSON as its data:

| event | data |
|---|---|
| `token` | `{"text"}`: more words of the reply |
| `replace` | `{"text"}`: what came before is void, the reply begins anew with this |
| `tool_start` | `{"tool"}` |
| `tool_result` | `{"tool", "count"}` |
| `citations` | `{"citations": [{"document", "title", "score"}]}` |
| `done` | the answer as `/api/v1/chat` gives it; its `reply` is what counts |
| `error` | `{"error", "status"}`: no reply, or not in time |

`done` or `error` is the last. Lines that begin with a colon are signs of life."""

_EVENT = {
    "description": "One event.",
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": f"^{_EVENT_ID}$"},
        "event": {
            "enum": ["token", "replace", "tool_start", "tool_result", "citations", "done", "error"],
        },
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["id", "event", "data"],
}

ROUTES: Sequence[Route] = (
    Route(
        method="post",
        path="/api/v1/chat",
        name="chat",
        summary="A message in, its reply out",
        body=schemas.ChatRequest,
        answers={200: schemas.ChatAnswer},
        failures=(*_BODY, 404, 503),
        has_limit=True,
        tags=("chat",),
    ),
    Route(
        method="post",
        path="/api/v1/chat/stream",
        name="chatStream",
        summary="The same, read while it is made",
        description=_EVENTS,
        body=schemas.ChatRequest,
        parameters=(_LAST_EVENT,),
        answers={200: {"text/event-stream": {"schema": _EVENT}}},
        failures=(*_BODY, 404, 503),
        has_limit=True,
        tags=("chat",),
    ),
    Route(
        method="get",
        path="/api/v1/conversations",
        name="listConversations",
        summary="The log, newest first",
        parameters=(
            _LIMIT,
            _BEFORE,
            _query("mode", "Only those in this mode.", type="string", enum=[str(mode) for mode in Mode]),
            _query("needs_human", "Only those that wait for a person.", type="boolean"),
        ),
        answers={200: schemas.ConversationList},
        failures=(400, 422, 503),
        tags=("conversations",),
    ),
    Route(
        method="get",
        path="/api/v1/conversations/{conversation_id}",
        name="showConversation",
        summary="A conversation with its messages",
        parameters=(_CONVERSATION, _LIMIT, _BEFORE),
        answers={200: schemas.Thread},
        failures=(400, 404, 422, 503),
        tags=("conversations",),
    ),
    Route(
        method="post",
        path="/api/v1/conversations/{conversation_id}/mode",
        name="setMode",
        summary="Take over, or hand back",
        body=schemas.ModeRequest,
        parameters=(_CONVERSATION,),
        answers={200: schemas.ModeAnswer},
        failures=(*_BODY, 404, 503),
        tags=("conversations",),
    ),
    Route(
        method="post",
        path="/api/v1/conversations/{conversation_id}/messages",
        name="writeAsStaff",
        summary="Write to the guest as staff, taking the conversation over",
        body=schemas.StaffRequest,
        parameters=(_CONVERSATION,),
        answers={200: schemas.StaffAnswer, 202: schemas.StaffAnswer},
        failures=(*_BODY, 404, 409, 503),
        tags=("conversations",),
    ),
    Route(
        method="get",
        path="/api/v1/calls/{call_id}",
        name="showCall",
        summary="A call: what was said, what it rests on, how long it took, and its recordings",
        parameters=(_CALL,),
        answers={200: schemas.SpokenCall},
        failures=(404, 503),
        tags=("calls",),
    ),
    Route(
        method="get",
        path="/api/v1/calls/{call_id}/recordings/{number}",
        name="playRecording",
        summary="A recording: mu-law, 8,000 Hz, the caller left, the desk as the caller heard it right",
        description="One that is still being made ends where it has got to.",
        parameters=(_CALL, _RECORDING, _RANGE),
        answers={200: _WAV, 206: _WAV},
        failures=(404, 416, 502, 503),
        tags=("calls",),
    ),
    Route(
        method="get",
        path="/livez",
        name="livez",
        summary="The process answers",
        answers={200: schemas.Alive},
        needs_key=False,
        tags=("operators",),
    ),
    Route(
        method="get",
        path="/readyz",
        name="readyz",
        summary="Messages can be taken in and answered",
        answers={200: schemas.Readiness, 503: schemas.Readiness},
        needs_key=False,
        tags=("operators",),
    ),
    Route(
        method="get",
        path="/health",
        name="health",
        summary="The installation, and the key's own numbers",
        answers={200: schemas.Health},
        failures=(503,),
        tags=("operators",),
    ),
    Route(
        method="get",
        path="/metrics",
        name="metrics",
        summary="Figures, for Prometheus",
        answers={200: {"text/plain": {"schema": {"type": "string"}}}},
        failures=(503,),
        tags=("operators",),
    ),
    Route(
        method="get",
        path="/api/v1/metrics",
        name="metricsSummary",
        summary="Figures, in short",
        answers={200: schemas.MetricsSummary},
        failures=(503,),
        tags=("operators",),
    ),
    Route(
        method="get",
        path="/api/performance",
        name="performance",
        summary="How quick the desk is now",
        answers={200: schemas.Performance},
        failures=(503,),
        tags=("operators",),
    ),
    Route(
        method="post",
        path="/api/v1/benchmark",
        name="benchmark",
        summary="The running desk measures itself, for a moment",
        parameters=(
            _query("iterations", "How often.", type="integer", minimum=1, maximum=MOST_ITERATIONS),
            _query("model", "true: ask the model too.", type="boolean"),
        ),
        answers={200: schemas.BenchmarkAnswer},
        failures=(422, 503),
        tags=("operators",),
    ),
)

"""Shapes of the chat completions API: what it takes, what it gives, and how it refuses.

Source: OpenAI's API reference for chat completions, and errors as the API words them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.openai_tools import AskedTool, NamedChoice, Tool, ToolChoice, wrong_schema


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Part(_Strict):
    type: Literal["text"]
    text: str


class _Message(_Strict):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: Annotated[list[AskedTool], Field(min_length=1)] | None = None
    tool_call_id: str | None = None

    @property
    def words(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or ""


class _StreamOptions(_Strict):
    include_usage: bool = False
    include_obfuscation: bool = False


class ChatRequest(_Strict):
    """The body of a request, as far as this simulator knows the API: text and tools, one choice."""

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[_Message], Field(min_length=1)]
    stream: bool = False
    stream_options: _StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    n: Literal[1] | None = None
    stop: str | list[str] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: int | None = None
    user: str | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    response_format: dict[str, Any] | None = None
    tools: Annotated[list[Tool], Field(min_length=1, max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None

    @property
    def tool_names(self) -> list[str]:
        """The tools that the model may ask for now."""
        if self.tool_choice == "none":
            return []
        if isinstance(self.tool_choice, NamedChoice):
            return [self.tool_choice.function.name]
        return [tool.function.name for tool in self.tools or ()]

    @property
    def must_call(self) -> bool:
        """Whether the answer has to be a tool call."""
        return self.tool_choice == "required" or isinstance(self.tool_choice, NamedChoice)

    @property
    def most_calls(self) -> int | None:
        """How many tools may be asked for at once."""
        return 1 if self.parallel_tool_calls is False else None

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Role and text of each message."""
        return [(message.role, message.words) for message in self.messages]

    @property
    def limit(self) -> int | None:
        """The most tokens to answer with."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with a chunk that tells the usage."""
        return self.stream_options is not None and self.stream_options.include_usage


class Refusal(Exception):
    """The API says no, with a status and a body in its own shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


def read_request(body: object) -> ChatRequest:
    """The request in *body*.

    Raises:
        Refusal: 400; the first fault only, as the API does.
    """
    if not isinstance(body, dict):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    for name in ("messages", "model"):
        if name not in body:
            raise _missing(name)
    try:
        request = ChatRequest.model_validate(body)
    except ValidationError as error:
        raise refusal_of(error.errors()[0]) from None
    if request.stream_options is not None and not request.stream:
        raise Refusal(
            400,
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    _check_tools(request)
    _check_tool_messages(request.messages)
    return request


def _check_tools(request: ChatRequest) -> None:
    for name in ("tool_choice", "parallel_tool_calls"):
        if getattr(request, name) not in (None, "none") and not request.tools:
            raise Refusal(400, f"'{name}' is only allowed when 'tools' are specified.", param=name)
    for place, tool in enumerate(request.tools or ()):
        if wrong := wrong_schema(tool.function.parameters):
            raise Refusal(
                400,
                f"Invalid schema for function '{tool.function.name}': {wrong}",
                param=f"tools[{place}].function.parameters",
                code="invalid_function_parameters",
            )
    choice = request.tool_choice
    known = {tool.function.name for tool in request.tools or ()}
    if isinstance(choice, NamedChoice) and choice.function.name not in known:
        message = f"Tool choice '{choice.function.name}' not found in 'tools' parameter."
        raise Refusal(400, message, param="tool_choice")


def _check_tool_messages(messages: Sequence[_Message]) -> None:
    """Each tool call is answered before anything else is said, and nothing else is answered."""
    owed: set[str] = set()
    for place, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id is None:
                raise _missing(f"messages[{place}].tool_call_id")
            if message.tool_call_id not in owed:
                raise Refusal(
                    400,
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding message "
                    "with 'tool_calls'.",
                    param=f"messages.[{place}].role",
                )
            owed.discard(message.tool_call_id)
            continue
        _check_all_answered(owed)
        if message.tool_calls is None:
            continue
        if message.role != "assistant":
            param = f"messages[{place}].tool_calls"
            raise Refusal(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
        owed = {call.id for call in message.tool_calls}
    _check_all_answered(owed)


def _check_all_answered(owed: Set[str]) -> None:
    if owed:
        raise Refusal(
            400,
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: "
            f"{', '.join(sorted(owed))}",
            param="messages",
        )


def completion(
    identity: Mapping[str, Any],
    text: str | None,
    calls: Sequence[Mapping[str, Any]],
    finish_reason: str,
    usage: Mapping[str, Any],
) -> dict[str, Any]:
    """A whole answer; *identity* is id, creation time and model."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if calls:
        message["tool_calls"] = list(calls)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
    return {**identity, "object": "chat.completion", "choices": [choice], "usage": dict(usage)}


def chunk(
    identity: Mapping[str, Any], delta: Mapping[str, Any], finish_reason: str | None = None
) -> dict[str, Any]:
    """A piece of a streamed answer."""
    choice = {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish_reason}
    return {**identity, "object": "chat.completion.chunk", "choices": [choice]}


def usage_chunk(identity: Mapping[str, Any], usage: Mapping[str, Any]) -> dict[str, Any]:
    """The last chunk of a stream that was asked for its usage: it holds no choice."""
    return {**identity, "object": "chat.completion.chunk", "choices": [], "usage": dict(usage)}


def _missing(name: str) -> Refusal:
    return Refusal(
        400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
    )


def refusal_of(error: Mapping[str, Any]) -> Refusal:
    """What the API says of a fault that pydantic found."""
    # Pydantic names the members of unions too; the API does not.
    place = [
        str(part)
        for part in error["loc"]
        if not str(part).startswith(("list[", "str", "literal[", "NamedChoice"))
    ]
    param = ".".join(place)
    if error["type"] == "extra_forbidden":
        return Refusal(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
    if error["type"] == "missing":
        return _missing(param)
    code = "invalid_type" if error["type"].endswith("_type") else "invalid_value"
    return Refusal(400, f"Invalid value for '{param}': {error['msg'].lower()}.", param=param, code=code)

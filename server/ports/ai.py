"""What we ask of a language model, and of an embedding model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from server.domain.model_calls import ModelCall


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool. ``arguments`` is JSON as the model wrote it: it may be broken."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that the model may ask for; ``parameters`` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One line of a prompt. ``role`` is ``system``, ``user``, ``assistant`` or ``tool``.

    ``tool_calls`` are what an assistant's line asked for; a tool's line answers ``tool_call_id``.
    """

    role: str
    content: str
    tool_calls: Sequence[ToolCall] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call took, in the model's own tokens; ``cached_tokens`` of the prompt were cheaper."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """What the provider told of its limits with an answer; None where it told nothing.

    Limits are for a minute; ``reset_*_s`` is until the full limit is there again.
    """

    limit_requests: int | None = None
    limit_tokens: int | None = None
    remaining_requests: int | None = None
    remaining_tokens: int | None = None
    reset_requests_s: float | None = None
    reset_tokens_s: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole. ``model`` is the one that gave it; ``usage`` is None where it was not told."""

    model: str
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Restarted:
    """The words before are void: another model begins the answer anew."""


ModelEvent = str | ToolCall | RateHeaders | Restarted | Finished


def _unaccounted(_call: ModelCall) -> None:
    """For requests that nobody pays for: tests."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A prompt and its limits. ``first_token_s`` and ``total_s`` are counted from the call.

    ``account`` is told of every call that was made for the request, once it has ended, also when the
    request was given up; it returns at once. Calls are told from the event loop.
    """

    lines: Sequence[ChatLine]
    first_token_s: float
    total_s: float
    tools: Sequence[ToolSpec] = ()
    account: Callable[[ModelCall], None] = _unaccounted


class LanguageModel(Protocol):
    """Streams an answer."""

    async def warm(self) -> None:
        """Load what the first request would otherwise wait for."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Yield pieces of text and tool calls as they arrive, and ``Finished`` at the end.

        Closing the iterator closes the connection.

        Raises:
            ProviderTimeout: a limit passed.
            ProviderUnavailable: the connection broke, 429 or 5xx.
            ProviderRejected: the key, the model or the request is refused.
        """
        ...

    async def aclose(self) -> None:
        """Close pooled connections."""
        ...


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models of an installation. Each answers with another's words if it cannot.

    ``usual`` is called ``name``; ``cheap`` is asked once most of a day's budget is spent; ``by_name`` are
    those that a caller may choose. ``call_cost_micros`` is what a call is expected to cost at most, in
    millionths of a US dollar.
    """

    name: str
    usual: LanguageModel
    cheap: LanguageModel
    by_name: Mapping[str, LanguageModel]
    call_cost_micros: int = 0


class Embedder(Protocol):
    """Turns texts into vectors of unit length; each row belongs to the text at its place."""

    @property
    def name(self) -> str:
        """Model and version: vectors of different names must not be compared."""
        ...

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts that will be searched. Shape ``(len(texts), dimensions)``."""
        ...

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions. Shape ``(len(texts), dimensions)``."""
        ...

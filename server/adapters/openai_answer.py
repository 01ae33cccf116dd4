"""What the chunks of one streamed answer add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.errors import ProviderUnavailable
from server.ports.ai import ToolCall, Usage

PROVIDER = "model"
# A chunk as it was sent: JSON of a server that may send anything.
Chunk = object


@dataclass(slots=True)
class _Fragments:
    """A tool call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class StreamedAnswer:
    """Takes chunks and gives words; tool calls are whole only at the end.

    Thoughts (``reasoning_content``) are not for anybody and count as silence.

    Attributes:
        has_begun: it has said a word, or begun to ask for a tool.
        has_ended: it is whole; what may still follow is the usage.
        characters: of all that it has said and asked for.
    """

    def __init__(self) -> None:
        self.has_begun = False
        self.has_ended = False
        self.usage: Usage | None = None
        self.characters = 0
        self._calls: dict[int, _Fragments] = {}

    def take(self, chunk: Chunk | None) -> Sequence[str]:
        """The words in *chunk*; None is the end of the stream.

        Raises:
            ProviderUnavailable: what has ended is no whole answer.
        """
        if chunk is None:
            raise ProviderUnavailable(PROVIDER, "answer cut off")
        self.take_usage(chunk)
        words: list[str] = []
        # The last chunk holds the usage and no choice.
        for choice in _rows(chunk, "choices"):
            delta = _part(choice, "delta")
            words += self._words(_text(delta, "content"))
            self._gather(_rows(delta, "tool_calls"))
            reason = _text(choice, "finish_reason")
            if reason:
                self._end(reason)
        return words

    def take_usage(self, chunk: Chunk) -> None:
        """Note what *chunk* tells of tokens: in the last chunk, in one behind it, in each, or nowhere."""
        told = _part(chunk, "usage")
        prompt, completion = told.get("prompt_tokens"), told.get("completion_tokens")
        if isinstance(prompt, int) and isinstance(completion, int):
            cached = _part(told, "prompt_tokens_details").get("cached_tokens")
            self.usage = Usage(prompt, completion, cached if isinstance(cached, int) else 0)

    def tool_calls(self) -> Sequence[ToolCall]:
        """The tools that the whole answer asks for, in its order."""
        return [
            ToolCall(call.id or f"call_{index}", call.name, call.arguments)
            for index, call in sorted(self._calls.items())
        ]

    def _words(self, content: str) -> list[str]:
        if not content:
            return []
        self.has_begun = self.has_begun or not content.isspace()
        self.characters += len(content)
        return [content]

    def _gather(self, fragments: Iterable[Mapping[str, Any]]) -> None:
        for fragment in fragments:
            self.has_begun = True
            told = fragment.get("index")
            # Some servers send each call whole and number none of them.
            index = told if isinstance(told, int) else len(self._calls)
            call = self._calls.setdefault(index, _Fragments())
            call.id = _text(fragment, "id") or call.id
            function = _part(fragment, "function")
            name, arguments = _text(function, "name"), _text(function, "arguments")
            call.name += name
            call.arguments += arguments
            self.characters += len(name) + len(arguments)

    def _end(self, reason: str) -> None:
        if reason == "length":
            raise ProviderUnavailable(PROVIDER, "answer longer than the token limit")
        if reason == "content_filter":
            raise ProviderUnavailable(PROVIDER, "answer stopped by a content filter")
        if not self.has_begun:
            raise ProviderUnavailable(PROVIDER, "empty answer")
        if any(not call.name for call in self._calls.values()):
            raise ProviderUnavailable(PROVIDER, "a tool call without a name")
        self.has_ended = True


def _part(whole: object, name: str) -> Mapping[str, Any]:
    """An object within an object; an empty one where there is none."""
    part = whole.get(name) if isinstance(whole, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _rows(whole: object, name: str) -> list[Mapping[str, Any]]:
    """The objects of a list within an object."""
    rows = whole.get(name) if isinstance(whole, Mapping) else None
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _text(whole: Mapping[str, Any], name: str) -> str:
    text = whole.get(name)
    return text if isinstance(text, str) else ""

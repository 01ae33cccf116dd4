"""A simulated model server: ``python -m simulators.openai [--port 0]``.

Speaks chat completions, streamed or not, refuses what the real API refuses, and goes wrong on command. Prints
one line of JSON when it is ready and ends on SIGTERM. Besides the API:

- ``POST /control`` takes ``Behaviour`` as JSON. Each call says everything: what it does not name goes back to
  what the process was started with.
- ``GET /control/requests`` lists what was asked since the last ``POST /control``; with ``?settled=1`` once
  nothing is under way any more.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Literal

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators import openai_wire as wire
from simulators.http_server import Answer, Request, serve
from simulators.openai_scripts import Rule, echo, reply_to, tokens

MODELS = ("gpt-4o-mini", "gpt-4o")
REQUESTS_A_MINUTE = 10_000
TOKENS_A_MINUTE = 2_000_000
_WINDOW_S = 60.0
_CREATED = 1_750_000_000


class Behaviour(BaseModel):
    """How the server behaves from now on.

    ``error_status`` is answered to the share ``error_rate`` of requests, picked by ``seed``. ``hang`` stops
    for good: before the ``headers``, after them before the ``first_token``, or ``mid_stream`` after half of
    the tokens. ``cut_after_tokens`` breaks the connection off. Any key will do if ``api_key`` is None.
    Each answer starts up to ``latency_spread_ms`` later than ``latency_first_token_ms``, drawn from ``seed``.
    ``echo`` is a pattern: a question that holds it is answered with all that fits it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_first_token_ms: Annotated[float, Field(ge=0)] = 0
    latency_spread_ms: Annotated[float, Field(ge=0)] = 0
    tokens_per_second: Annotated[float, Field(ge=0)] = 0
    error_status: Annotated[int, Field(ge=400, le=599)] | None = None
    error_rate: Annotated[float, Field(ge=0, le=1)] = 1
    hang: Literal["headers", "first_token", "mid_stream"] | None = None
    cut_after_tokens: Annotated[int, Field(ge=0)] | None = None
    reply: str | None = None
    echo: str | None = None
    rules: Sequence[Rule] = ()
    api_key: str | None = None
    seed: int = 0


class Record(BaseModel):
    """One request to the API. ``outcome`` is ``under_way`` until it is settled."""

    path: str
    connection: int
    body: Any
    status: int | None = None
    tokens_sent: int = 0
    outcome: Literal["under_way", "answered", "refused", "cut", "client_left"] = "under_way"


class ModelServer:
    """State and routes of one simulator."""

    def __init__(self, start: Behaviour) -> None:
        self._start = start
        self._changed = asyncio.Event()
        self._window: deque[tuple[float, int]] = deque()
        self._answers = 0
        self._behave(start)

    async def handle(self, request: Request, answer: Answer) -> None:
        """Route one request."""
        route = (request.method, request.path)
        if route == ("POST", "/control"):
            self._control(request, answer)
        elif route == ("GET", "/control/requests"):
            await self._list_requests(request, answer)
        elif request.path.startswith("/v1/"):
            await self._call_api(request, answer)
        else:
            answer.json(404, {"error": {"message": f"Unknown request URL: {request.method} {request.path}."}})

    def _behave(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._records: list[Record] = []
        self._random = random.Random(behaviour.seed)  # noqa: S311 - repeatable on purpose

    def _control(self, request: Request, answer: Answer) -> None:
        try:
            wanted = Behaviour.model_validate_json(request.body or b"{}")
        except ValidationError as error:
            answer.json(422, {"error": str(error)})
            return
        self._behave(
            self._start.model_copy(update={name: getattr(wanted, name) for name in wanted.model_fields_set})
        )
        answer.json(200, self._behaviour.model_dump())

    async def _list_requests(self, request: Request, answer: Answer) -> None:
        while "settled" in request.query and any(record.outcome == "under_way" for record in self._records):
            await self._changed.wait()
        answer.json(200, [record.model_dump() for record in self._records])

    async def _call_api(self, request: Request, answer: Answer) -> None:
        record = Record(path=request.path, connection=request.connection, body=_json(request.body))
        self._records.append(record)
        try:
            await self._dispatch(request, answer, record)
        except wire.Refusal as refusal:
            record.status, record.outcome = refusal.status, "refused"
            answer.json(refusal.status, refusal.body, self._headers(_retry(refusal.status)))
        except asyncio.CancelledError:
            if record.outcome == "under_way":
                record.outcome = "client_left"
            raise
        finally:
            self._changed.set()
            self._changed = asyncio.Event()

    async def _dispatch(self, request: Request, answer: Answer, record: Record) -> None:
        behaviour = self._behaviour
        _check_key(request.headers.get("authorization", ""), behaviour.api_key)
        if (request.method, request.path) == ("GET", "/v1/models"):
            record.status, record.outcome = 200, "answered"
            answer.json(200, _models())
            return
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            raise wire.Refusal(404, f"Invalid URL ({request.method} {request.path})")
        asked = wire.read_request(record.body)
        if asked.model not in MODELS:
            message = f"The model `{asked.model}` does not exist or you do not have access to it."
            raise wire.Refusal(404, message, code="model_not_found")
        if behaviour.error_status is not None and self._random.random() < behaviour.error_rate:
            raise _injected(behaviour.error_status)
        await self._complete(asked, behaviour, answer, record)

    async def _complete(
        self, asked: wire.ChatRequest, behaviour: Behaviour, answer: Answer, record: Record
    ) -> None:
        if behaviour.hang == "headers":
            await _forever()
        echoed = behaviour.echo and echo(asked.lines, behaviour.echo)
        said = tokens(echoed or reply_to(asked.lines, behaviour.rules, behaviour.reply))
        await asyncio.sleep(self._random.uniform(0, behaviour.latency_spread_ms) / 1000)
        words = said[: asked.limit]
        usage = _usage(asked, words)
        self._answers += 1
        self._window.append((time.monotonic(), usage["total_tokens"]))
        identity = {"id": f"chatcmpl-{self._answers:08}", "created": _CREATED, "model": asked.model}
        record.status = 200
        if asked.stream:
            answer.start_events(self._headers())
        async for word in _paced(words, behaviour):
            record.tokens_sent += 1
            if asked.stream:
                answer.event(json.dumps(wire.chunk(identity, {"content": word})))
        if behaviour.cut_after_tokens is not None:
            record.outcome = "cut"
            answer.cut()
            return
        record.outcome = "answered"
        finish_reason = "stop" if len(words) == len(said) else "length"
        if asked.stream:
            _end_stream(asked, answer, identity, finish_reason, usage)
        else:
            whole = wire.completion(identity, "".join(words), finish_reason, usage)
            answer.json(200, whole, self._headers())

    def _headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """Rate limits as the API tells them, and the request's id."""
        now = time.monotonic()
        while self._window and self._window[0][0] < now - _WINDOW_S:
            self._window.popleft()
        used = sum(used for _, used in self._window)
        return {
            "x-request-id": f"req_{self._answers:08}",
            "x-ratelimit-limit-requests": str(REQUESTS_A_MINUTE),
            "x-ratelimit-limit-tokens": str(TOKENS_A_MINUTE),
            "x-ratelimit-remaining-requests": str(max(0, REQUESTS_A_MINUTE - len(self._window))),
            "x-ratelimit-remaining-tokens": str(max(0, TOKENS_A_MINUTE - used)),
            "x-ratelimit-reset-requests": "6ms",
            "x-ratelimit-reset-tokens": "30ms",
            **(more or {}),
        }


def _usage(asked: wire.ChatRequest, words: Sequence[str]) -> dict[str, int]:
    prompt = sum(len(tokens(text)) for _, text in asked.lines)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": len(words),
        "total_tokens": prompt + len(words),
    }


def _end_stream(
    asked: wire.ChatRequest,
    answer: Answer,
    identity: dict[str, Any],
    finish_reason: str,
    usage: dict[str, int],
) -> None:
    answer.event(json.dumps(wire.chunk(identity, {}, finish_reason)))
    if asked.wants_usage:
        answer.event(json.dumps(wire.usage_chunk(identity, usage)))
    answer.event("[DONE]")
    answer.end_events()


async def _paced(words: Sequence[str], behaviour: Behaviour) -> AsyncIterator[str]:
    """*words* at the speed and with the stops of *behaviour*."""
    await asyncio.sleep(behaviour.latency_first_token_ms / 1000)
    if behaviour.hang == "first_token":
        await _forever()
    for place, word in enumerate(words[: behaviour.cut_after_tokens]):
        if behaviour.hang == "mid_stream" and place >= (len(words) + 1) // 2:
            await _forever()
        if place and behaviour.tokens_per_second:
            await asyncio.sleep(1 / behaviour.tokens_per_second)
        yield word


async def _forever() -> None:
    await asyncio.Event().wait()


def _check_key(authorization: str, expected: str | None) -> None:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise wire.Refusal(401, "You didn't provide an API key.")
    if expected is not None and key.strip() != expected:
        raise wire.Refusal(401, "Incorrect API key provided.", code="invalid_api_key")


def _injected(status: int) -> wire.Refusal:
    if status == 429:
        message = "Rate limit reached for requests"
        return wire.Refusal(status, message, kind="requests", code="rate_limit_exceeded")
    if status >= 500:
        return wire.Refusal(
            status, "The server had an error while processing your request.", kind="server_error"
        )
    return wire.Refusal(status, "The request was refused.")


def _retry(status: int) -> dict[str, str]:
    return {"retry-after": "1", "retry-after-ms": "1000"} if status == 429 else {}


def _models() -> dict[str, Any]:
    rows = [{"id": name, "object": "model", "created": _CREATED, "owned_by": "simulator"} for name in MODELS]
    return {"object": "list", "data": rows}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


async def _run(port: int, start: Behaviour) -> None:
    server = await serve(ModelServer(start).handle, port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, bound = server.sockets[0].getsockname()[:2]
    click.echo(json.dumps({"ready": True, "baseUrl": f"http://{host}:{bound}/v1"}))
    await stop.wait()
    server.close()


@click.command(
    epilog="Example: python -m simulators.openai --latency-first-token-ms 400 --tokens-per-second 50"
)
@click.option("--port", default=0, show_default=True, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--latency-first-token-ms", default=0.0, show_default=True, help="Silence before the answer.")
@click.option(
    "--tokens-per-second", default=0.0, show_default=True, help="Speed of the answer; 0 is at once."
)
@click.option("--api-key", default=None, help="The only key that is taken. Default: any.")
@click.option("--seed", default=0, show_default=True, help="Picks which requests fail.")
def main(
    port: int, latency_first_token_ms: float, tokens_per_second: float, api_key: str | None, seed: int
) -> None:
    """A simulated model server on this machine."""
    start = Behaviour(
        latency_first_token_ms=latency_first_token_ms,
        tokens_per_second=tokens_per_second,
        api_key=api_key,
        seed=seed,
    )
    asyncio.run(_run(port, start))


if __name__ == "__main__":
    main()

"""A simulated model server: ``python -m simulators.openai [--port 0]``.

Speaks chat completions, streamed or not, and the audio routes of ``openai_audio``, refuses what the real API
refuses, and goes wrong on command. Prints one line of JSON when it is ready and ends on SIGTERM. Besides the
API:

- ``POST /control`` takes ``Behaviour`` as JSON. Each call says everything: what it does not name goes back to
  what the process was started with. All limits are full again, and no prompt is cached.
- ``POST /control/trouble`` takes a ``Trouble``, which is in force until the next ``POST /control``.
- ``GET /control/requests`` lists what was asked since the last ``POST /control``; with ``?settled=1`` once
  nothing is under way any more, with ``?asked=WORDS`` once something was asked that holds these, with
  ``?told=WORDS`` once the first token of its answer has left. ``GET /control/counts`` adds it up.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Sequence
from random import Random
from typing import Any

import click
from pydantic import ValidationError

from simulators import openai_wire as wire
from simulators.http_server import Answer, Request, serve
from simulators.openai_answer import PromptCache, forever, say, usage_of
from simulators.openai_audio import AudioRoutes
from simulators.openai_behaviour import Behaviour, Record, counted, question_in
from simulators.openai_call import Call, injected, tell_stream, tell_whole
from simulators.openai_limits import KeyLimits
from simulators.openai_scripts import tokens
from simulators.troubles import Trouble, Troubles

_CREATED = 1_750_000_000


class ModelServer:
    """State and routes of one simulator."""

    def __init__(self, start: Behaviour) -> None:
        self._start = start
        self._changed = asyncio.Event()
        self._answers = 0
        self._behave(start)

    async def handle(self, request: Request, answer: Answer) -> None:
        """Route one request."""
        route = (request.method, request.path)
        if route == ("POST", "/control"):
            self._control(request, answer)
        elif route == ("POST", "/control/trouble"):
            self._add_trouble(request, answer)
        elif route == ("GET", "/control/requests"):
            await self._list_requests(request, answer)
        elif route == ("GET", "/control/counts"):
            answer.json(200, counted(self._records))
        elif request.path.startswith("/v1/"):
            await self._call_api(request, answer)
        else:
            answer.json(404, {"error": {"message": f"Unknown request URL: {request.method} {request.path}."}})

    def _behave(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._records: list[Record] = []
        self._random = Random(behaviour.seed)  # noqa: S311 - repeatable on purpose
        self._limits: dict[tuple[str, str], KeyLimits] = {}
        self._prompts = PromptCache()
        self._audio = AudioRoutes(behaviour.audio)
        self._troubles = Troubles()

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
        query = request.query
        while not (
            ("settled" not in query or all(record.outcome != "under_way" for record in self._records))
            and ("asked" not in query or self._was_asked(query["asked"]))
            and ("told" not in query or self._was_asked(query["told"], is_told=True))
        ):
            await self._changed.wait()
        answer.json(200, [record.model_dump() for record in self._records])

    def _was_asked(self, words: str, *, is_told: bool = False) -> bool:
        return any(
            words in question_in(record.body) and (not is_told or record.first_token_at is not None)
            for record in self._records
        )

    def _add_trouble(self, request: Request, answer: Answer) -> None:
        try:
            self._troubles.add(Trouble.model_validate_json(request.body))
        except ValidationError as error:
            answer.json(422, {"error": str(error)})
            return
        answer.json(200, {})

    def _news(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _call_api(self, request: Request, answer: Answer) -> None:
        record = Record(
            path=request.path,
            connection=request.connection,
            body=_json(request.body),
            received_at=time.time(),
        )
        self._records.append(record)
        self._news()
        try:
            await self._dispatch(request, answer, record)
        except wire.Refusal as refusal:
            record.status, record.outcome = refusal.status, "refused"
            asked_of = (_key(request), _model(record.body))
            answer.json(refusal.status, refusal.body, {**self._headers(*asked_of), **refusal.headers})
        except asyncio.CancelledError:
            if record.outcome == "under_way":
                record.outcome = "client_left"
            raise
        finally:
            self._news()

    async def _dispatch(self, request: Request, answer: Answer, record: Record) -> None:
        behaviour = self._behaviour
        key = _key(request)
        _check_key(key, behaviour.api_key)
        if (request.method, request.path) == ("GET", "/v1/models"):
            record.status, record.outcome = 200, "answered"
            answer.json(200, _models(behaviour.models), self._headers(key, ""))
            return
        if self._audio.knows(request):
            await self._audio.handle(request, answer, record)
            return
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            raise wire.Refusal(404, f"Invalid URL ({request.method} {request.path})")
        asked = wire.read_request(record.body)
        if asked.model not in behaviour.models:
            message = f"The model `{asked.model}` does not exist or you do not have access to it."
            raise wire.Refusal(404, message, code="model_not_found")
        record.fault = behaviour.faults.draw(self._random)
        behaviour = behaviour.gone_wrong(record.fault, self._random)
        if behaviour.error_status is not None and self._random.random() < behaviour.error_rate:
            raise injected(behaviour.error_status)
        call = Call(asked, behaviour, key, answer, record, self._troubles, self._news)
        await call.slow_down()
        if (error := call.trouble("error")) is not None:
            raise injected(int(error.status))
        await self._admit(call)

    async def _admit(self, call: Call) -> None:
        """Let *call* be answered within its key's limits, and count it by what it really used."""
        prompt = tokens("\n".join(text for _, text in call.asked.lines))
        estimated = len(prompt) + (call.asked.limit or 0)
        limits = self._limits_of(call.key, call.asked.model)
        limits.admit(call.asked.model, estimated)
        try:
            await self._complete(call, prompt)
        finally:
            limits.correct(estimated, len(prompt) + call.record.tokens_sent)

    async def _complete(self, call: Call, prompt: Sequence[str]) -> None:
        behaviour, record = call.behaviour, call.record
        if behaviour.hang == "headers":
            await forever()
        said = say(call.asked, behaviour)
        await asyncio.sleep(self._random.uniform(0, behaviour.latency_spread_ms) / 1000)
        self._answers += 1
        cached = self._prompts.cached(prompt, behaviour.cached_prompt_tokens_from)
        record.usage = usage_of(prompt, said, cached)
        record.status = 200
        identity = {"id": f"chatcmpl-{self._answers:08}", "created": _CREATED, "model": call.asked.model}
        headers = self._headers(call.key, call.asked.model)
        tell = tell_stream if call.asked.stream else tell_whole
        await tell(call, said, identity, headers)

    def _limits_of(self, key: str, model: str) -> KeyLimits:
        if (key, model) not in self._limits:
            per_minute = (self._behaviour.requests_per_minute, self._behaviour.tokens_per_minute)
            self._limits[key, model] = KeyLimits(*per_minute, time.monotonic)
        return self._limits[key, model]

    def _headers(self, key: str, model: str) -> dict[str, str]:
        """The request's id, and the limits of a model that there is."""
        told = self._limits_of(key, model).headers() if model in self._behaviour.models else {}
        return {"x-request-id": f"req_{self._answers:08}", **told}


def _key(request: Request) -> str:
    """The key of a request; empty if there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _model(body: object) -> str:
    """The model that is asked; empty if none is."""
    model = body.get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) else ""


def _check_key(key: str, expected: str | None) -> None:
    if not key:
        raise wire.Refusal(401, "You didn't provide an API key.")
    if expected is not None and key != expected:
        raise wire.Refusal(401, "Incorrect API key provided.", code="invalid_api_key")


def _models(names: Sequence[str]) -> dict[str, Any]:
    rows = [{"id": name, "object": "model", "created": _CREATED, "owned_by": "simulator"} for name in names]
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

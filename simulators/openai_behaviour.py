"""How the simulated model server behaves, and what it records."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.openai_audio_behaviour import AudioBehaviour, AudioRecord
from simulators.openai_scripts import Rule
from simulators.troubles import Kind

Share = Annotated[float, Field(ge=0, le=1)]
Fault = Literal["hang_headers", "hang_first_token", "hang_mid_stream", "error_500", "error_429", "cut"]
# A cut by share comes after at most so many tokens.
_LATEST_CUT = 8


class Faults(BaseModel):
    """Which share of the requests goes wrong in which way, one way each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hang_headers: Share = 0
    hang_first_token: Share = 0
    hang_mid_stream: Share = 0
    error_500: Share = 0
    error_429: Share = 0
    cut: Share = 0

    @model_validator(mode="after")
    def _leaves_the_rest(self) -> Faults:
        if sum(share for _, share in self) > 1 + 1e-9:
            raise ValueError("the shares of all faults together are at most 1")
        return self

    def draw(self, random: Random) -> Fault | None:
        """What goes wrong with the next request."""
        left = random.random()
        for name in self.__class__.model_fields:
            left -= getattr(self, name)
            if left < 0:
                return name  # type: ignore[return-value]
        return None


class Behaviour(BaseModel):
    """How the server behaves from now on.

    ``error_status`` is answered to the share ``error_rate`` of requests, picked by ``seed``. ``hang`` stops
    for good: before the ``headers``, after them before the ``first_token``, or ``mid_stream`` after half of
    the tokens. ``cut_after_tokens`` breaks the connection off. ``faults`` mixes these by share, drawn from
    ``seed`` for each request. Any key will do if ``api_key`` is None; each has limits of its own for each
    model, ``requests_per_minute`` and ``tokens_per_minute``.
    Each answer starts up to ``latency_spread_ms`` later than ``latency_first_token_ms``, drawn from ``seed``.
    ``echo`` is a pattern: a question that holds it is answered with all that fits it. ``ground`` answers with
    friendly words and a sentence of the prompt's own documents. The beginning of a prompt that was sent
    before counts as cached from ``cached_prompt_tokens_from`` tokens on. ``audio`` is how the audio routes
    behave, of which nothing else is told here but the key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: Sequence[str] = ("gpt-4o-mini", "gpt-4o", "gpt-4.1-mini", "gpt-4.1-nano")
    latency_first_token_ms: Annotated[float, Field(ge=0)] = 0
    latency_spread_ms: Annotated[float, Field(ge=0)] = 0
    tokens_per_second: Annotated[float, Field(ge=0)] = 0
    # The highest tier's of a small model: out of the way unless they are set.
    requests_per_minute: Annotated[int, Field(ge=1)] = 30_000
    tokens_per_minute: Annotated[int, Field(ge=1)] = 150_000_000
    error_status: Annotated[int, Field(ge=400, le=599)] | None = None
    error_rate: Share = 1
    hang: Literal["headers", "first_token", "mid_stream"] | None = None
    cut_after_tokens: Annotated[int, Field(ge=0)] | None = None
    faults: Faults = Faults()
    reply: str | None = None
    echo: str | None = None
    ground: bool = False
    rules: Sequence[Rule] = ()
    cached_prompt_tokens_from: Annotated[int, Field(ge=1)] = 1024
    api_key: str | None = None
    audio: AudioBehaviour = AudioBehaviour()
    seed: int = 0

    def gone_wrong(self, fault: Fault | None, random: Random) -> Behaviour:
        """The same, for one request that meets *fault*."""
        changes: dict[str, Any] = {}
        if fault in ("error_500", "error_429"):
            changes = {"error_status": int(fault.removeprefix("error_")), "error_rate": 1}
        elif fault == "cut":
            changes = {"cut_after_tokens": random.randrange(_LATEST_CUT + 1)}
        elif fault is not None:
            changes = {"hang": fault.removeprefix("hang_")}
        return self.model_copy(update=changes) if changes else self


class Record(BaseModel):
    """One request to the API. ``outcome`` is ``under_way`` until it is settled.

    Times are seconds since 1970: when the request was here, when the first and the last token were written.
    ``fault`` is what of ``Behaviour.faults`` it met, ``trouble`` the kind of the trouble that it met.
    ``audio`` is what an audio route was asked.
    """

    path: str
    connection: int
    body: Any
    received_at: float
    first_token_at: float | None = None
    last_token_at: float | None = None
    status: int | None = None
    tokens_sent: int = 0
    fault: Fault | None = None
    trouble: Kind | None = None
    usage: dict[str, Any] | None = None
    audio: AudioRecord | None = None
    outcome: Literal["under_way", "answered", "refused", "cut", "client_left"] = "under_way"


def question_in(body: object) -> str:
    """The last message of a request; empty where there is none."""
    messages = body.get("messages") if isinstance(body, dict) else None
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    return content if isinstance(content, str) else ""


def counted(records: Sequence[Record]) -> dict[str, Any]:
    """What *records* add up to."""
    told = [record.usage for record in records if record.usage is not None]
    return {
        "requests": len(records),
        "connections": len({record.connection for record in records}),
        "rate_limited": sum(record.status == 429 and record.fault != "error_429" for record in records),
        "faults": _tally([record.fault for record in records if record.fault is not None]),
        "outcomes": _tally([record.outcome for record in records]),
        "prompt_tokens": sum(usage["prompt_tokens"] for usage in told),
        "cached_tokens": sum(usage["prompt_tokens_details"]["cached_tokens"] for usage in told),
        "completion_tokens": sum(record.tokens_sent for record in records),
    }


def _tally(names: Sequence[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}

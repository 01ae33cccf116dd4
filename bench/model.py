"""``frontdesk bench model``: what our way to the model adds to the SDK's own time."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import click
from tqdm import tqdm

from bench.beyond import ModelTime, model_times
from bench.figures import Figure, Output, output_options
from bench.guest_questions import fresh_questions
from bench.model_paths import Path, adapter_path, chain_path, sdk_path
from bench.samples import percentile
from bench.settings import list_option
from simulators.openai_client import OpenAISimulator, start_openai_simulator

SDK, ADAPTER, CHAIN = "SDK alone", "adapter", "chain"
# Each setting is measured until it has so many streams, in at least so many rounds.
LEAST_STREAMS = 40
LEAST_ROUNDS = 3
_REPLY_TOKENS = 24
_REPLY = " ".join(["friendly"] * _REPLY_TOKENS)
_FIRST_TOKEN_MS = 100
_SHARES = (50, 95)

_EPILOG = """\b
Examples:
  frontdesk bench model --streams 1,20,100,200
  frontdesk bench model --streams 50 --tokens-per-second 20 --json
"""


@click.command("model", epilog=_EPILOG)
@list_option("--streams", of=int, default="1,20,100,200", tells="How many answers stream at once.")
@click.option(
    "--tokens-per-second", type=click.FloatRange(0), default=50, show_default=True, help="Of each stream."
)
@output_options
def command(streams: list[int], tokens_per_second: float, as_json: bool, strict: bool) -> None:
    """What the adapter, and the whole chain with limiter, breaker and hedge, add to the SDK alone.

    All ask the same simulated model from one process, in turn: a round of so many streams at once through
    each. The floor is the SDK alone. When a token left is told by the model. See docs/bench.md.
    """
    output = Output(as_json=as_json, is_strict=strict)
    with start_openai_simulator() as model:
        for run in asyncio.run(_measure(model, streams, tokens_per_second)):
            output.add(*run.figures())
    output.close()


@dataclass(frozen=True, slots=True)
class Streamed:
    """When a client began, and read the first and the last words; seconds since 1970."""

    mark: str
    began_at: float
    first_at: float
    last_at: float


@dataclass(slots=True)
class Measured:
    """What streams over one path took, in ms beyond the model; processor time in ms of all of them."""

    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    tokens: int = 0
    processor_ms: float = 0.0

    @property
    def token_us(self) -> float:
        """Processor time of the client for each token, in microseconds."""
        return self.processor_ms * 1000 / self.tokens

    def add(self, streamed: Sequence[Streamed], times: Mapping[str, ModelTime], processor_s: float) -> None:
        """Take up a round."""
        for one in streamed:
            model = times[one.mark]
            self.first.append((one.first_at - one.began_at) * 1000 - model.first_ms)
            self.last.append((one.last_at - model.last_at) * 1000)
        self.tokens += len(streamed) * _REPLY_TOKENS
        self.processor_ms += processor_s * 1000


@dataclass(frozen=True, slots=True)
class Run:
    """All paths with so many streams at once."""

    setting: str
    measured: Mapping[str, Measured]

    def figures(self) -> Iterator[Figure]:
        """Each path beside the SDK alone."""
        floor = self.measured[SDK]
        for name, path in self.measured.items():
            if name == SDK:
                continue
            for share in _SHARES:
                yield self._beside(
                    f"{name}: first token beyond the model p{share}",
                    percentile(path.first, share),
                    percentile(floor.first, share),
                )
            for share in _SHARES:
                yield self._beside(
                    f"{name}: last token after the model's p{share}",
                    percentile(path.last, share),
                    percentile(floor.last, share),
                )
            yield Figure(
                "model",
                self.setting,
                f"{name}: processor for each token",
                path.token_us,
                "us",
                floor.token_us,
            )
            more = percentile(path.first, 50) - percentile(floor.first, 50)
            yield Figure(
                "model", self.setting, f"{name}: first token, more than the SDK alone p50", more, "ms"
            )

    def _beside(self, metric: str, value: float, floor: float) -> Figure:
        return Figure("model", self.setting, metric, value, "ms", floor)


async def _measure(model: OpenAISimulator, streams: Sequence[int], tokens_per_second: float) -> list[Run]:
    runs = []
    questions = fresh_questions()
    async with _paths(model) as paths:
        for path in paths.values():
            # Pools and the SDK itself are loaded.
            await _round(path, [next(questions)])
        for count in streams:
            measured = {name: Measured() for name in paths}
            rounds = max(LEAST_ROUNDS, -(-LEAST_STREAMS // count))
            for _ in tqdm(range(rounds), desc=f"model, {count} streams", unit=" rounds", disable=None):
                for name, path in paths.items():
                    # Nothing else runs in this process meanwhile, so that a call that blocks harms nobody.
                    model.control(
                        reply=_REPLY,
                        latency_first_token_ms=_FIRST_TOKEN_MS,
                        tokens_per_second=tokens_per_second,
                    )
                    began_s = time.process_time()
                    streamed = await _round(path, list(itertools.islice(questions, count)))
                    spent_s = time.process_time() - began_s
                    measured[name].add(streamed, model_times(model.requests(settled=True)), spent_s)
            runs.append(Run(f"{count} streams at once, {tokens_per_second:g} tokens/s each", measured))
    return runs


async def _round(path: Path, questions: Sequence[tuple[str, str]]) -> list[Streamed]:
    """All *questions*, marks and texts, at once."""
    return await asyncio.gather(*(_stream(path, mark, text) for mark, text in questions))


async def _stream(path: Path, mark: str, text: str) -> Streamed:
    began_at = time.time()
    first_at = 0.0
    async for _ in path(text):
        last_at = time.time()
        first_at = first_at or last_at
    return Streamed(mark, began_at, first_at, last_at)


@asynccontextmanager
async def _paths(model: OpenAISimulator) -> AsyncIterator[dict[str, Path]]:
    async with sdk_path(model) as sdk, adapter_path(model) as adapter, chain_path(model) as chain:
        yield {SDK: sdk, ADAPTER: adapter, CHAIN: chain}

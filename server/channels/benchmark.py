"""``POST /api/v1/benchmark``: the running desk measures itself, for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from flask import Blueprint, request

from server.channels.api_keys import tenant_of
from server.errors import ProviderError, TooBusy, UnprocessableRequest
from server.observability.locks import FileLock
from server.observability.multiprocess import FOLDER
from server.observability.performance import percentiles
from server.ports.store import KeyStore

MOST_ITERATIONS = 200
ITERATIONS = 20
LONGEST_S = 20.0


class Measured(Protocol):
    """What a running desk lets itself be timed at. Each call does the thing once and blocks until it is
    done; nothing is saved and nobody gets a message."""

    def early_exit(self, tenant_id: str) -> None:
        """Answer a greeting."""
        ...

    def retrieval(self, tenant_id: str) -> None:
        """Look for the passages that answer a question."""
        ...

    def gate(self, tenant_id: str) -> None:
        """Check an answer with prices and times in it."""
        ...

    def database(self, tenant_id: str) -> None:
        """Go to the database and back."""
        ...

    def ping_model(self, tenant_id: str, timeout_s: float) -> None:
        """Ask the model for a word.

        Raises:
            ProviderError: none came, or none in time.
        """
        ...


def benchmark_blueprint(
    measured: Measured, keys: KeyStore, data_dir: Path, longest_s: float = LONGEST_S
) -> Blueprint:
    """``POST /api/v1/benchmark?iterations=N&model=true``; one at a time in all processes of *data_dir*."""
    folder = data_dir / FOLDER
    blueprint = Blueprint("benchmark", __name__, url_prefix="/api/v1")

    @blueprint.post("/benchmark")
    def benchmark() -> dict[str, Any]:
        tenant_id = tenant_of(request, keys)
        iterations = _iterations(request.args.get("iterations"))
        with_model = _is_true(request.args.get("model"))
        folder.mkdir(parents=True, exist_ok=True)
        with closing(FileLock(folder / "benchmark.lock")) as lock:
            if not lock.take():
                raise TooBusy("a benchmark is running already; try again when it is over")
            return _measure(_steps(measured, tenant_id, with_model=with_model), iterations, longest_s)

    return blueprint


def _steps(measured: Measured, tenant_id: str, *, with_model: bool) -> dict[str, Callable[[float], None]]:
    """What is timed, in its order; each is given the seconds that are left."""
    steps: dict[str, Callable[[float], None]] = {
        "early_exit": lambda _left_s: measured.early_exit(tenant_id),
        "retrieval": lambda _left_s: measured.retrieval(tenant_id),
        "gate": lambda _left_s: measured.gate(tenant_id),
        "database": lambda _left_s: measured.database(tenant_id),
    }
    if with_model:
        steps["model"] = lambda left_s: measured.ping_model(tenant_id, left_s)
    return steps


def _measure(
    steps: Mapping[str, Callable[[float], None]], iterations: int, longest_s: float
) -> dict[str, Any]:
    """Time all steps in turn, again and again, until it is enough or the time is over."""
    began = time.monotonic()
    taken_ms: dict[str, list[float]] = {name: [] for name in steps}
    failures = 0
    for name, step in list(steps.items()) * iterations:
        left_s = longest_s - (time.monotonic() - began)
        if left_s <= 0:
            break
        start = time.perf_counter()
        try:
            step(left_s)
        except ProviderError:
            failures += 1
        else:
            taken_ms[name].append((time.perf_counter() - start) * 1000)
    return {
        "iterations": iterations,
        "complete": sum(map(len, taken_ms.values())) + failures == iterations * len(steps),
        "seconds": round(time.monotonic() - began, 3),
        "failures": failures,
        "measured_ms": {name: {"count": len(taken), **_summary(taken)} for name, taken in taken_ms.items()},
    }


def _summary(taken_ms: list[float]) -> dict[str, float | None]:
    found = percentiles(taken_ms) or {}
    return {name: found.get(name) for name in ("p50", "p95")}


def _iterations(value: str | None) -> int:
    if value is None:
        return ITERATIONS
    if not (value.isascii() and value.isdecimal() and len(value) <= 9 and 1 <= int(value) <= MOST_ITERATIONS):
        raise UnprocessableRequest(f"iterations must be a whole number from 1 to {MOST_ITERATIONS}")
    return int(value)


def _is_true(value: str | None) -> bool:
    if value not in (None, "true", "false"):
        raise UnprocessableRequest("model must be true or false")
    return value == "true"

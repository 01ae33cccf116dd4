"""What answers guests while a bench runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from simulators.openai_client import start_openai_simulator

MODEL_LATENCY_MS = 500
# A model that takes `MODEL_LATENCY_MS`, the embedded answers, or nobody: all is left to staff.
TURNS = ("model", "embedded", "paused")


@contextmanager
def answering(turns: str) -> Iterator[Mapping[str, str]]:
    """The settings that make turns as wished, with a simulated model if one is needed."""
    if turns != "model":
        yield {}
        return
    with start_openai_simulator() as model:
        model.control(latency_first_token_ms=MODEL_LATENCY_MS)
        yield model.settings

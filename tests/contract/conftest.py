"""What several ports have adapters for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulators.openai_client import OpenAISimulator, start_openai_simulator


@pytest.fixture(scope="module")
def openai_simulator() -> Iterator[OpenAISimulator]:
    """OpenAI's API, as a process of its own."""
    with start_openai_simulator() as running:
        yield running

"""Starts the simulated model server as a process of its own and talks to its control door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests import Response, Session

from simulators.process import SimulatorError, started

CALL_TIMEOUT_S = 10.0


class OpenAISimulator:
    """A running simulator. ``base_url`` is what ``OPENAI_BASE_URL`` should be."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._control_url = base_url.removesuffix("/v1") + "/control"
        self._session = Session()
        # A proxy from the environment has no business between two loopback addresses.
        self._session.trust_env = False

    @property
    def settings(self) -> dict[str, str]:
        """What makes a desk ask it."""
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_API_KEY": "sk-simulator"}

    def control(self, **behaviour: Any) -> None:
        """Behave so from now on, and forget earlier requests; see ``openai_behaviour.Behaviour``.

        What is not named goes back to what it was at the start.

        Raises:
            SimulatorError: there is no such behaviour.
        """
        self._checked(self._session.post(self._control_url, json=behaviour, timeout=CALL_TIMEOUT_S))

    @property
    def requests_url(self) -> str:
        """Where `requests` asks."""
        return f"{self._control_url}/requests"

    def trouble(self, **trouble: Any) -> None:
        """Go wrong for one caller from now on; see ``troubles.Trouble``.

        Raises:
            SimulatorError: there is no such trouble.
        """
        url = f"{self._control_url}/trouble"
        self._checked(self._session.post(url, json=trouble, timeout=CALL_TIMEOUT_S))

    def requests(self, *, settled: bool = False) -> list[dict[str, Any]]:
        """What was asked since the last ``control``; see ``openai_behaviour.Record``.

        Args:
            settled: wait until nothing is under way any more.
        """
        query = {"settled": "1"} if settled else {}
        answer = self._session.get(self.requests_url, params=query, timeout=CALL_TIMEOUT_S)
        return list(self._checked(answer).json())

    def asked(self) -> list[dict[str, Any]]:
        """The questions among `requests`: whoever warms up asks for the list of models."""
        return [request for request in self.requests() if request["path"].endswith("/chat/completions")]

    def counts(self) -> dict[str, Any]:
        """What was asked since the last ``control``, added up; see ``openai_behaviour.counted``."""
        answer = self._session.get(f"{self._control_url}/counts", timeout=CALL_TIMEOUT_S)
        return dict(self._checked(answer).json())

    def close(self) -> None:
        """Close the connection to the control door."""
        self._session.close()

    def _checked(self, answer: Response) -> Response:
        if not answer.ok:
            raise SimulatorError(f"HTTP {answer.status_code}: {answer.text}")
        return answer


@contextmanager
def start_openai_simulator(*arguments: str) -> Iterator[OpenAISimulator]:
    """Run ``python -m simulators.openai`` with *arguments* for as long as the context lasts.

    Raises:
        SimulatorError: it did not become ready.
    """
    with started("simulators.openai", *arguments) as ready:
        simulator = OpenAISimulator(ready["baseUrl"])
        try:
            yield simulator
        finally:
            simulator.close()

"""Starts the simulators of Google's speech services as processes of their own, and works their doors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests import Response, Session

from simulators.openai_client import CALL_TIMEOUT_S
from simulators.process import SimulatorError, started


class GoogleSimulator:
    """A running simulator. ``endpoint`` is ``host:port`` of its gRPC."""

    def __init__(self, endpoint: str, control_url: str) -> None:
        self.endpoint = endpoint
        self._control_url = f"{control_url}/control"
        self._session = Session()
        # A proxy from the environment has no business between two loopback addresses.
        self._session.trust_env = False

    @property
    def port(self) -> int:
        """Of its gRPC."""
        return int(self.endpoint.rpartition(":")[2])

    def control(self, **behaviour: Any) -> None:
        """Behave so from now on, and forget what was before; see ``Behaviour`` of the simulator.

        Raises:
            SimulatorError: there is no such behaviour.
        """
        self._checked(self._session.post(self._control_url, json=behaviour, timeout=CALL_TIMEOUT_S))

    def trouble(self, **trouble: Any) -> None:
        """Go wrong for one caller from now on; see ``Trouble`` of the simulators.

        Raises:
            SimulatorError: there is no such trouble.
        """
        self._checked(
            self._session.post(f"{self._control_url}/trouble", json=trouble, timeout=CALL_TIMEOUT_S)
        )

    def records(self, *, settled: bool = False) -> list[dict[str, Any]]:
        """Streams or calls since the last ``control``; see ``Record`` of the simulator.

        Args:
            settled: wait until none is under way any more.
        """
        query = {"settled": "1"} if settled else {}
        url = f"{self._control_url}/records"
        return list(self._checked(self._session.get(url, params=query, timeout=CALL_TIMEOUT_S)).json())

    def counts(self) -> dict[str, Any]:
        """The same, added up; see ``counted`` of the simulator."""
        return dict(
            self._checked(self._session.get(f"{self._control_url}/counts", timeout=CALL_TIMEOUT_S)).json()
        )

    def close(self) -> None:
        """Close the connection to the control door."""
        self._session.close()

    def _checked(self, answer: Response) -> Response:
        if not answer.ok:
            raise SimulatorError(f"HTTP {answer.status_code}: {answer.text}")
        return answer


@contextmanager
def start_google_speech() -> Iterator[GoogleSimulator]:
    """Run ``python -m simulators.google_speech`` for as long as the context lasts.

    Raises:
        SimulatorError: it did not become ready.
    """
    with _simulator("simulators.google_speech") as simulator:
        yield simulator


@contextmanager
def start_google_tts() -> Iterator[GoogleSimulator]:
    """Run ``python -m simulators.google_tts`` for as long as the context lasts.

    Raises:
        SimulatorError: it did not become ready.
    """
    with _simulator("simulators.google_tts") as simulator:
        yield simulator


@contextmanager
def _simulator(module: str) -> Iterator[GoogleSimulator]:
    with started(module) as ready:
        simulator = GoogleSimulator(ready["endpoint"], ready["controlUrl"])
        try:
            yield simulator
        finally:
            simulator.close()

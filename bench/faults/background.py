"""Work in a thread whose fault is not swallowed: it is raised where the work is ended."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs *work* in a thread of its own."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=work.__name__, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Wait until the work is done, which its owner has told it to be; raises what it raised."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as fault:  # noqa: BLE001 - raised by end()
            self._fault = fault

"""A clock that jumps, for a process that knows nothing of it: libfaketime under its C library.

The process must be started with ``SkewedClock.environment``; its wall clock then jumps whenever the test
wants it, its monotonic clock goes on as if nothing were, as when NTP or an operator sets a machine's time.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from pathlib import Path

_LIBRARY = Path("vendor") / "libfaketime" / "src" / "libfaketime.so.1"


class SkewedClock:
    """The clock of one or more processes.

    Args:
        file: where the skew is kept; a process that looks at its clock reads it once a second.

    Raises:
        RuntimeError: the package libfaketime is missing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._library = _find_library()
        self.set(0)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to live by this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # Thousands of looks a second, as threads that wait for the interpreter make, are not to be as
            # many reads of the file.
            "FAKETIME_CACHE_DURATION": "0",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, skew_s: int) -> None:
        """Be *skew_s* seconds ahead of the machine's clock from now on; negative is behind.

        Returns with the next second, in which every process sees it.
        """
        written = self._file.with_suffix(".part")
        written.write_text(f"{skew_s:+d}\n", encoding="ascii")
        written.replace(self._file)
        time.sleep(1 - time.time() % 1)


def _find_library() -> Path:
    spec = importlib.util.find_spec("libfaketime")
    if spec is None or spec.origin is None:
        raise RuntimeError("libfaketime is not installed: run `make test`, which installs it")
    return Path(spec.origin).parent / _LIBRARY

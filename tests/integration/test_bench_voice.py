"""`frontdesk bench voice`, small: real processes, callers on a simulated network, simulated providers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 280
_CALLS = 6


def test_voice_takes_the_providers_own_time_off_and_sees_the_desk_give_way() -> None:
    command = [sys.executable, "-m", "bench", "voice", f"--calls={_CALLS}", "--seconds=1", "--json"]
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            said, complained = process.communicate(timeout=_TIMEOUT_S)
        finally:
            # Asked, not killed: it ends what it has started.
            process.terminate()
    assert process.returncode == 0, complained
    found = {figure["metric"]: figure for figure in map(json.loads, said.splitlines())}
    for metric in ("first audio beyond the providers p50", "the same, beside a bare handler p50"):
        assert found[metric]["value"] > 0
    assert found["the same, beside a bare handler p50"]["floor"] > 0
    assert found["turns measured of the floor"]["value"] == 2 * _CALLS
    assert found["turns measured"]["value"] + found["turns that something else answered first"]["value"] == (
        2 * _CALLS
    )
    assert found["barge-ins"]["value"] == _CALLS
    assert found["barge-ins without a clear"]["value"] == 0
    assert found["clear after the voice was confirmed p50"]["value"] > 0
    assert found["calls stuck"]["value"] == 0
    assert found["messages that Twilio does not take"]["value"] == 0
    assert found["realtime: memory at most"]["value"] > 0

"""A desk that hears and speaks without a telephone network, for the test of calls from the playground.

Prints one line of JSON when it is ready: ``{"url", "name", "password", "microphone"}``, the console's
address, a member of staff, and a WAV file for the browser's microphone: silence while the desk greets, a
question, silence. Each line of its standard input is answered with one: ``{"realtime": "stop" | "start"}`` is
the operator's, ``{"calls": ""}`` asks what came of the calls. Ends when its standard input does.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.chat_desk import ChatDesk, simulated_model
from server.adapters.system_clock import SystemClock
from server.domain.passwords import make_password
from server.domain.staff import Role
from server.store.session import Database
from server.store.users import Users
from simulators.google_client import GoogleSimulator, start_google_speech, start_google_tts
from tests.browser.serve_talk import QUESTION, write_question
from tests.support.phone import PACE

NAME = "Noa"
_CALLS = """
    SELECT calls.id, calls.ended_because,
           (SELECT count(*) FROM turns WHERE turns.call_id = calls.id) AS turns,
           (SELECT count(*) FROM recordings WHERE recordings.call_id = calls.id) AS recordings,
           (SELECT count(*) FROM outbox_messages WHERE kind = 'notice') AS notices
    FROM calls ORDER BY calls.started_at
"""


def main() -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory() as name, _desk(Path(name)) as (desk, stt):
        folder = Path(name)
        microphone = folder / "microphone.wav"
        write_question(microphone)
        stt.control(script=[{"text": QUESTION, "language": "en-US"}])
        password = make_password()
        Users(Database(f"sqlite:///{folder / 'desk.db'}"), SystemClock()).add("1", NAME, password, Role.STAFF)
        realtime = desk.services[-1]
        _tell({"url": desk.urls["web"], "name": NAME, "password": password, "microphone": str(microphone)})
        done: Mapping[str, Callable[[str], Any]] = {
            "realtime": lambda what: realtime.start() if what == "start" else realtime.stop(),
            "calls": lambda _: _calls(folder / "desk.db"),
        }
        for line in sys.stdin:
            ((what, value),) = json.loads(line).items()
            _tell(done[what](value))


@contextmanager
def _desk(folder: Path) -> Iterator[tuple[ChatDesk, GoogleSimulator]]:
    with ExitStack() as stack:
        model = stack.enter_context(simulated_model())
        stt, tts = stack.enter_context(start_google_speech()), stack.enter_context(start_google_tts())
        model.control(**PACE)
        settings = {
            "GOOGLE_SPEECH_ENDPOINT": stt.endpoint,
            "GOOGLE_TTS_ENDPOINT": tts.endpoint,
            # Without a proxy before them: browsers find the realtime process by its port.
            "PUBLIC_BASE_URL": "",
        }
        desk = ChatDesk(folder, f"sqlite:///{folder / 'desk.db'}", model, settings, has_realtime=True)
        desk.prepare()
        stack.enter_context(desk.running())
        yield desk, stt


def _calls(database: Path) -> list[dict[str, Any]]:
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(_CALLS)]
    finally:
        connection.close()


def _tell(what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 (the lines that the test waits for)


if __name__ == "__main__":
    main()

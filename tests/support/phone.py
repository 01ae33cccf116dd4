"""A desk with a phone line, its processes real; network, recogniser, voice and model are simulated."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bench.chat_desk import ChatDesk, simulated_model
from simulators.google_client import GoogleSimulator, start_google_speech, start_google_tts
from simulators.lab import wait_until
from simulators.openai_client import OpenAISimulator
from simulators.twilio.account import Account, Number, Outcome, Party
from simulators.twilio.network import PhoneNetwork, phone_network

DESK, CALLER, STAFF = "+97231234567", "+972501234567", "+972509999999"
PUBLIC = "desk.example"
ACCOUNT, AUTH_TOKEN = "AC" + "1" * 32, "t" * 32
# A model of today, in a hurry: the same shape of stream in less of a test's time.
PACE = {"latency_first_token_ms": 150, "tokens_per_second": 200, "ground": True}
GREETING = "Hello, how can I help you?"
WITHIN_S = 30.0

_seeds = count()
_TURNS = """
    SELECT turns.call_id, inbound.text AS words, outbox.text AS told, turns.intended, turns.reason,
           turns.citations, turns.steps_ms, outbox.state
    FROM turns JOIN outbox_messages AS outbox ON outbox.turn_id = turns.id AND outbox.kind = 'reply'
    LEFT JOIN inbound_messages AS inbound ON inbound.covered_by = outbox.id
    WHERE turns.call_id = ? ORDER BY turns.started_at
"""


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """One turn of a call as the database has it."""

    words: str
    told: str
    intended: str | None
    reason: str
    citations: Sequence[Mapping[str, Any]]
    steps_ms: Mapping[str, float]
    state: str


@dataclass(frozen=True)
class PhoneLab:
    """The desk and what stands around it."""

    desk: ChatDesk
    model: OpenAISimulator
    stt: GoogleSimulator
    tts: GoogleSimulator

    def hears(self, *texts: str, language: str = "en-US", **behaviour: Any) -> None:
        """The recogniser takes the caller's next utterances for these; *behaviour* is the simulator's."""
        script = [{"text": text, "language": language} for text in texts]
        self.stt.control(script=script, **behaviour)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Calls that begin in the block are recorded."""
        self.desk.lab.frontdesk("tenant", "set", "1", "record_calls", "true")
        try:
            yield
        finally:
            self.desk.lab.frontdesk("tenant", "set", "1", "record_calls")

    @asynccontextmanager
    async def network(self, staff: Outcome = "answered") -> AsyncIterator[PhoneNetwork]:
        """A network with the desk's number, and somebody at the staff's who picks up or does not."""
        number = Number(
            voice_url=f"https://{PUBLIC}/voice/incoming", status_callback=f"https://{PUBLIC}/voice/status"
        )
        account = Account(
            AUTH_TOKEN,
            account_sid=ACCOUNT,
            # No two calls of a test run have the same id.
            seed=next(_seeds),
            numbers={DESK: number},
            parties={STAFF: Party(outcome=staff, after_s=0.05, talks_s=0.3)},
        )
        urls = self.desk.urls
        routes = {
            f"https://{PUBLIC}": urls["web"],
            f"wss://{PUBLIC}": urls["realtime"].replace("http", "ws", 1),
        }
        async with phone_network(account, routes) as network:
            yield network

    def turns(self, call_sid: str) -> list[LoggedTurn]:
        """The call's turns, oldest first."""
        return [
            LoggedTurn(
                words=row["words"] or "",
                told=row["told"],
                intended=row["intended"],
                reason=row["reason"],
                citations=json.loads(row["citations"]),
                steps_ms=json.loads(row["steps_ms"]),
                state=row["state"],
            )
            for row in self._rows(_TURNS, call_sid)
        ]

    def call(self, call_sid: str) -> Mapping[str, Any]:
        """The call's row."""
        (row,) = self._rows("SELECT * FROM calls WHERE id = ?", call_sid)
        return dict(row)

    def has_ended(self, call_sid: str) -> Mapping[str, Any]:
        """The call's row, once it tells of its end."""
        wait_until(lambda: self.call(call_sid)["ended_at"] is not None, WITHIN_S, "the call to end")
        return self.call(call_sid)

    def _rows(self, statement: str, *values: str) -> list[sqlite3.Row]:
        connection = sqlite3.connect(self.desk.lab.folder / "phone.db")
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()


def phone_settings(hears: GoogleSimulator, speaks: GoogleSimulator) -> dict[str, str]:
    """What a desk needs to know to take calls."""
    return {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PUBLIC_BASE_URL": f"https://{PUBLIC}",
        "GOOGLE_SPEECH_ENDPOINT": hears.endpoint,
        "GOOGLE_TTS_ENDPOINT": speaks.endpoint,
    }


@contextmanager
def phone_lab(folder: Path, more_settings: Mapping[str, str] | None = None) -> Iterator[PhoneLab]:
    """A desk that takes calls to `DESK`, for the time of the block."""
    with ExitStack() as stack:
        model = stack.enter_context(simulated_model())
        stt, tts = stack.enter_context(start_google_speech()), stack.enter_context(start_google_tts())
        settings = phone_settings(stt, tts) | {"ANSWER_CACHE_S": "0"} | dict(more_settings or {})
        model.control(**PACE)
        database = f"sqlite:///{folder / 'phone.db'}"
        desk = ChatDesk(folder, database, model, settings, has_realtime=True)
        desk.prepare()
        desk.lab.frontdesk("tenant", "set", "1", "phone_numbers", DESK)
        desk.lab.frontdesk("tenant", "set", "1", "transfer_number", STAFF)
        desk.lab.frontdesk("tenant", "set", "1", "phone_greeting", GREETING)
        stack.enter_context(desk.running())
        lab = PhoneLab(desk, model, stt, tts)
        wait_until(lambda: _has_prepared(tts, GREETING), WITHIN_S, "the fixed lines to be prepared")
        yield lab


def _has_prepared(tts: GoogleSimulator, last: str) -> bool:
    records = tts.records()
    return any(last in record["text"] for record in records) and all(
        record["outcome"] != "under_way" for record in records
    )

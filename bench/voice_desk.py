"""A scratch desk with a phone number, and the simulated providers that it and the floor share."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from bench.chat_desk import ChatDesk
from bench.faults.crowd import marks_in
from bench.messages import TENANT
from bench.scratch import open_engine, scratch_database
from bench.voice_callers import ORIGIN, STREAM_ORIGIN, Wish
from bench.voice_floor import Places
from bench.voice_script import INTERIM_MS, Line, known_utterances, model_rules
from bench.voice_times import Pace
from bench.voice_times import Providers as Recorded
from server.store.models import InboundRow, OutboxRow, TurnRow
from simulators.google_client import GoogleSimulator, start_google_speech, start_google_tts
from simulators.lab import Service, wait_until
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.twilio.account import Account, Number

NUMBER = "+97231234567"
PACE = Pace()
# Audio comes so much faster than it is spoken, in pieces of so much.
VOICE_SPEED, VOICE_PIECE_MS = 4, 200
PIECE_GAP_MS = VOICE_PIECE_MS / VOICE_SPEED
_WARM_TIMEOUT_S = 90.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """The three providers."""

    speech: GoogleSimulator
    voice: GoogleSimulator
    model: OpenAISimulator

    @property
    def places(self) -> Places:
        """Where the floor finds them."""
        return Places(speech=self.speech.endpoint, voice=self.voice.endpoint, model=self.model.base_url)

    def learn(self, lines: Sequence[Line], stability: float) -> None:
        """Hear and answer *lines* from now on, at the set pace, and forget what was before."""
        known = known_utterances(lines, stability)
        self.speech.control(known=known, final_ms=PACE.final_ms, interim_ms=INTERIM_MS)
        self.voice.control(first_ms=PACE.voice_ms, speed=VOICE_SPEED, piece_ms=VOICE_PIECE_MS)
        self.model.control(
            rules=model_rules(lines),
            latency_first_token_ms=PACE.first_token_ms,
            tokens_per_second=1000 / PACE.token_ms,
        )

    def recorded(self) -> Recorded:
        """What they have recorded since."""
        return Recorded(self.speech.records(), self.model.asked(), self.voice.records())


@contextmanager
def simulated_providers() -> Iterator[Simulated]:
    """All three as processes of their own."""
    with start_google_speech() as speech, start_google_tts() as voice, start_openai_simulator() as model:
        yield Simulated(speech, voice, model)


class VoiceDesk:
    """The web and the realtime process on a scratch database, with a number that can be called."""

    def __init__(
        self, folder: Path, database: str, providers: Simulated, more: Mapping[str, str] | None = None
    ) -> None:
        self._account_sid, self._auth_token = "AC" + secrets.token_hex(16), secrets.token_hex(16)
        settings = {
            "TWILIO_ACCOUNT_SID": self._account_sid,
            "TWILIO_AUTH_TOKEN": self._auth_token,
            # How many it keeps up with is what is measured.
            "CALLS_AT_ONCE": "1000",
            "PUBLIC_BASE_URL": ORIGIN,
            "GOOGLE_SPEECH_ENDPOINT": providers.speech.endpoint,
            "GOOGLE_TTS_ENDPOINT": providers.voice.endpoint,
            **(more or {}),
        }
        self._providers = providers
        self.database = database
        self.desk = ChatDesk(folder, database, providers.model, settings, has_realtime=True)

    @property
    def realtime(self) -> Service:
        """The process that calls are on."""
        return self.desk.services[-1]

    @property
    def account(self) -> Account:
        """At the phone network, with the desk's number."""
        number = Number(voice_url=f"{ORIGIN}/voice/incoming", status_callback=f"{ORIGIN}/voice/status")
        return Account(
            self._auth_token,
            account_sid=self._account_sid,
            numbers={NUMBER: number},
            seed=secrets.randbits(32),
        )

    @property
    def routes(self) -> dict[str, str]:
        """Where the network finds it."""
        urls = self.desk.urls
        return {ORIGIN: urls["web"], STREAM_ORIGIN: urls["realtime"].replace("http", "ws", 1)}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Its processes, once the voice has made the lines that callers may need at once."""
        self.desk.prepare()
        self.desk.lab.frontdesk("tenant", "set", TENANT, "phone_numbers", NUMBER)
        with self.desk.running():
            wait_until(self.is_warm, _WARM_TIMEOUT_S, "the voice to have the desk's own lines ready")
            yield

    def wish(self, scripts: Sequence[Sequence[Line]]) -> Wish:
        """What callers need to call it."""
        return Wish(
            account_sid=self._account_sid,
            auth_token=self._auth_token,
            number=NUMBER,
            routes=self.routes,
            scripts=[[line.text for line in script] for script in scripts],
        )

    def steps_ms(self) -> dict[str, dict[str, float]]:
        """The moments that turns have stored, in ms, by the turn's mark."""
        with open_engine(self.database) as engine, engine.connect() as connection:
            rows = connection.execute(
                select(InboundRow.text, TurnRow.steps_ms)
                .join(OutboxRow, OutboxRow.id == InboundRow.covered_by)
                .join(TurnRow, TurnRow.id == OutboxRow.turn_id)
            ).all()
        return {mark: dict(steps) for text, steps in rows for mark in marks_in(text or "")}

    def is_warm(self) -> bool:
        """Whether the voice has made something since it was last told how to behave, and is done."""
        counts = self._providers.voice.counts()
        return bool(counts["calls"] and not counts["under_way"])


@contextmanager
def running_desk(
    database: str, providers: Simulated, more: Mapping[str, str] | None = None
) -> Iterator[VoiceDesk]:
    """A desk on a new database, running; *more* are settings of its processes."""
    with (
        tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name,
        scratch_database(database, Path(name)) as url,
    ):
        desk = VoiceDesk(Path(name), url, providers, more)
        with desk.running():
            yield desk

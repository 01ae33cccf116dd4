"""A scratch desk to talk to: the real processes, with model, recogniser and voice simulated around them."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from simulators.google_client import start_google_speech, start_google_tts
from simulators.lab import Lab
from simulators.openai_client import start_openai_simulator
from simulators.twilio.account import Account, Number, Party
from simulators.whatsapp_client import start_simulator

QUESTIONS = (
    "What time is check-in?",
    "Do you have parking?",
    "When is breakfast?",
    "Can I bring a dog?",
)
# More than anybody asks in one sitting.
_ROUNDS = 100
# A model of today.
_PACE = {"latency_first_token_ms": 400, "tokens_per_second": 50, "ground": True}
_PUBLIC = "desk.example"
_NUMBER, _CALLER, _STAFF = "+97231234567", "+972501234567", "+972509999999"


@dataclass(frozen=True)
class DemoDesk:
    """How the desk is called."""

    account: Account
    routes: dict[str, str]
    number: str = _NUMBER
    caller: str = _CALLER


@contextmanager
def demo_desk(questions: Sequence[str]) -> Iterator[DemoDesk]:
    """A desk that takes calls, for the time of the block.

    Args:
        questions: what the recogniser takes the caller's utterances for, over and over.

    Raises:
        LabError: one of its processes did not start.
    """
    account = Account(
        secrets.token_hex(16),
        numbers={
            _NUMBER: Number(
                voice_url=f"https://{_PUBLIC}/voice/incoming",
                status_callback=f"https://{_PUBLIC}/voice/status",
            )
        },
        parties={_STAFF: Party(after_s=2.0, talks_s=5.0)},
    )
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-talk-"))
        model = stack.enter_context(start_openai_simulator())
        stt = stack.enter_context(start_google_speech())
        tts = stack.enter_context(start_google_tts())
        whatsapp = stack.enter_context(start_simulator())
        model.control(**_PACE)
        stt.control(script=[{"text": text, "language": _language(text)} for text in questions] * _ROUNDS)
        settings = {
            **model.settings,
            "TWILIO_ACCOUNT_SID": account.account_sid,
            "TWILIO_AUTH_TOKEN": account.auth_token,
            "PUBLIC_BASE_URL": f"https://{_PUBLIC}",
            "GOOGLE_SPEECH_ENDPOINT": stt.endpoint,
            "GOOGLE_TTS_ENDPOINT": tts.endpoint,
        }
        lab = stack.enter_context(Lab(Path(folder), whatsapp, settings, realtime=True))
        lab.frontdesk("tenant", "set", "1", "phone_numbers", _NUMBER)
        lab.frontdesk("tenant", "set", "1", "transfer_number", _STAFF)
        routes = {
            f"https://{_PUBLIC}": lab.web_url,
            f"wss://{_PUBLIC}": lab.realtime_url.replace("http", "ws", 1),
        }
        yield DemoDesk(account, routes)


def _language(text: str) -> str:
    """The code that Google has for it."""
    return "iw-IL" if any("\u0590" <= letter <= "\u05ff" for letter in text) else "en-US"

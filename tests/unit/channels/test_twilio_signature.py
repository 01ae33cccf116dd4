"""Nothing but what Twilio signed for our own address comes through."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator

from server.channels.twilio_signature import TwilioSignatures
from server.errors import Forbidden

TOKEN = "t" * 32
BASE = "https://desk.example"
PATH, FORM = "/voice/turn?empty=1", {"CallSid": "CA1", "SpeechResult": "שלום & bye"}


@pytest.fixture(params=[BASE, f"{BASE}/"])
def signatures(request: pytest.FixtureRequest) -> TwilioSignatures:
    return TwilioSignatures(TOKEN, request.param)


def sign(url: str, form: dict[str, str], token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, form))


def test_a_webhook_that_is_signed_comes_through(signatures: TwilioSignatures) -> None:
    signatures.check_webhook(PATH, FORM, sign(BASE + PATH, FORM))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        sign(BASE + PATH, FORM, "u" * 32),
        sign(f"https://other.example{PATH}", FORM),
        sign(f"http://desk.example{PATH}", FORM),
        sign(f"{BASE}/voice/turn", FORM),
        sign(BASE + PATH, FORM | {"SpeechResult": "bye"}),
        sign(BASE + PATH, {"CallSid": "CA1"}),
    ],
)
def test_any_other_does_not(signatures: TwilioSignatures, signature: str) -> None:
    with pytest.raises(Forbidden, match="PUBLIC_BASE_URL"):
        signatures.check_webhook(PATH, FORM, signature)


def test_a_socket_is_signed_with_its_own_scheme(signatures: TwilioSignatures) -> None:
    signatures.check_socket("/voice/stream", sign("wss://desk.example/voice/stream", {}))
    with pytest.raises(Forbidden):
        signatures.check_socket("/voice/stream", sign(f"{BASE}/voice/stream", {}))
    with pytest.raises(Forbidden):
        signatures.check_socket("/voice/stream", "")

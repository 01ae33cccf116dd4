"""What Twilio's debugger would show: errors and warnings by number.

Source: twilio.com/docs/api/errors. Where the pages leave open which number a fault gets, the choice is said
beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]

HTTP_RETRIEVAL = 11200
TOO_MANY_REDIRECTS = 11215
DOCUMENT_SIZE = 11750
DOCUMENT_PARSE = 12100
# Also for what fits no schema and has no number of its own: unknown verbs, missing URLs, long parameters.
SCHEMA = 12200
CONTENT_TYPE = 12300
GATHER_SPEECH_TIMEOUT = 13327
GATHER_LANGUAGE = 13331
GATHER_MODEL = 13334
GATHER_AUTO_TIMEOUT = 13335
SAY_VOICE = 13512
SAY_TEXT = 13520
STREAM_UNREACHABLE = 31901
STREAM_TLS = 31910
STREAM_HANDSHAKE = 31920
STREAM_CLOSED = 31921
STREAM_SCHEME = 31922
STREAM_PROTOCOL = 31924
STREAM_OVERFLOW = 31930
STREAM_MALFORMED = 31950
STREAM_INVALID = 31951

WARNINGS = frozenset(
    {
        GATHER_SPEECH_TIMEOUT,
        GATHER_LANGUAGE,
        GATHER_MODEL,
        GATHER_AUTO_TIMEOUT,
        SAY_VOICE,
        SAY_TEXT,
        STREAM_OVERFLOW,
        STREAM_MALFORMED,
        STREAM_INVALID,
    }
)

_TITLES = {
    HTTP_RETRIEVAL: "HTTP retrieval failure",
    TOO_MANY_REDIRECTS: "HTTP too many redirects",
    DOCUMENT_SIZE: "TwiML response body too large",
    DOCUMENT_PARSE: "Document parse failure",
    SCHEMA: "Schema validation warning",
    CONTENT_TYPE: "Invalid Content-Type",
    GATHER_SPEECH_TIMEOUT: "Gather: Invalid speechTimeout value",
    GATHER_LANGUAGE: "Gather: Invalid language value",
    GATHER_MODEL: "Gather: Invalid model value",
    GATHER_AUTO_TIMEOUT: "Gather: speechTimeout auto is not supported for the model",
    SAY_VOICE: "Say: Invalid voice for the language",
    SAY_TEXT: "Say: Invalid text",
    STREAM_UNREACHABLE: "Stream - WebSocket - Connection Timeout",
    STREAM_TLS: "Stream - WebSocket - SSL Protocol Error",
    STREAM_HANDSHAKE: "Stream - WebSocket - Handshake Error",
    STREAM_CLOSED: "Stream - WebSocket - Close Error",
    STREAM_SCHEME: "Stream - WebSocket - URL Schema Not Supported",
    STREAM_PROTOCOL: "Stream - WebSocket - Protocol Error",
    STREAM_OVERFLOW: "Stream - Media - Buffer Overflow",
    STREAM_MALFORMED: "Stream - Protocol - Malformed Message",
    STREAM_INVALID: "Stream - Protocol - Invalid Message",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of the debugger; ``detail`` says what it was about, ``at`` is in seconds of the call."""

    at: float
    code: int
    level: Level
    detail: str

    def __str__(self) -> str:
        return f"{self.code} {_TITLES[self.code]}: {self.detail}"


class CallFailure(Exception):
    """The call cannot go on with the document it was given."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"{code} {_TITLES[code]}: {detail}")
        self.code = code
        self.detail = detail


class SimulatorLimit(Exception):
    """Twilio can do this, the simulator cannot; the test must be changed, not the server."""

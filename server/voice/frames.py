"""Twilio Media Streams, as text frames of JSON: what comes in as dataclasses, what goes out as strings.

Source: Twilio's "Media Streams - WebSocket Messages". Numbers arrive as strings, audio as base64 of raw
8 kHz mono mu-law, 160 bytes (20 ms) a frame.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from server.errors import InvalidRequest

# A frame of Twilio's is some 400 characters; `start` with all its parameters a few thousand.
LONGEST_FRAME_CHARS = 65_536
# One second; Twilio sends 20 ms at a time.
LONGEST_AUDIO_BYTES = 8_000
LONGEST_NAME_CHARS = 500
MOST_PARAMETERS = 50
_LONGEST_NUMBER_CHARS = 15
_FORMAT = ("audio/x-mulaw", 8_000, 1)


class BadFrame(InvalidRequest):
    """The frame is none of Media Streams; the message says what is wrong with it, never what it holds."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The first message of a socket, before anything is known of the call."""

    protocol: str
    version: str


@dataclass(frozen=True, slots=True)
class Started:
    """The call: ``parameters`` are those of the TwiML's ``<Parameter>``."""

    stream_sid: str
    account_sid: str
    call_sid: str
    tracks: tuple[str, ...]
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Media:
    """A piece of what the caller says; ``timestamp_ms`` counts from the beginning of the stream."""

    stream_sid: str
    track: str
    chunk: int
    timestamp_ms: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key of the telephone: 0-9, ``*``, ``#``, A-D."""

    stream_sid: str
    digit: str


@dataclass(frozen=True, slots=True)
class MarkReached:
    """All audio that was sent before the mark has been played, or was thrown away by ``clear``."""

    stream_sid: str
    name: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The stream is over; the socket closes next."""

    stream_sid: str
    call_sid: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message that Twilio may have added since; nothing to do."""


Incoming = Connected | Started | Media | KeyPressed | MarkReached | Stopped | Unknown


def parse(frame: str | bytes) -> Incoming:
    """Read one frame as it came from the socket; about 4 us for 20 ms of audio.

    Raises:
        BadFrame: not JSON, too long, a field missing or of the wrong kind. Nothing else is raised.
    """
    if not isinstance(frame, str):
        raise BadFrame("The frame is binary; Media Streams sends text.")
    if len(frame) > LONGEST_FRAME_CHARS:
        raise BadFrame(f"The frame is longer than {LONGEST_FRAME_CHARS} characters.")
    try:
        message = json.loads(frame)
    # Deep nesting, and numbers of thousands of digits, fail in their own ways.
    except (ValueError, RecursionError):
        raise BadFrame("The frame is not JSON.") from None
    if type(message) is not dict:
        raise BadFrame("The frame is not a JSON object.")
    event = message.get("event")
    read = _READERS.get(event) if type(event) is str else None
    if read is not None:
        return read(message)
    if type(event) is not str:
        raise BadFrame("event is missing or no text.")
    return Unknown()


class Outgoing:
    """Builds the messages for one stream."""

    def __init__(self, stream_sid: str) -> None:
        sid = json.dumps(stream_sid)
        self._media = f'{{"event":"media","streamSid":{sid},"media":{{"payload":"'
        self._mark = f'{{"event":"mark","streamSid":{sid},"mark":{{"name":'
        self._clear = f'{{"event":"clear","streamSid":{sid}}}'

    def media(self, audio: bytes) -> str:
        """*audio* to be played after all that was sent before: raw 8 kHz mu-law, of any length."""
        return f'{self._media}{binascii.b2a_base64(audio, newline=False).decode("ascii")}"}}}}'

    def mark(self, name: str) -> str:
        """Ask to be told when all that was sent before has been played."""
        return f"{self._mark}{json.dumps(name)}}}}}"

    def clear(self) -> str:
        """Throw away what has not been played yet; the marks in it come back as if it had been."""
        return self._clear


def _connected(message: dict[str, Any]) -> Connected:
    return Connected(_text(message, "protocol"), _text(message, "version"))


def _started(message: dict[str, Any]) -> Started:
    start = _object(message, "start")
    media = _object(start, "mediaFormat")
    if (_text(media, "encoding"), _number(media, "sampleRate"), _number(media, "channels")) != _FORMAT:
        raise BadFrame("mediaFormat is not 8 kHz mono mu-law.")
    return Started(
        stream_sid=_text(message, "streamSid"),
        account_sid=_text(start, "accountSid"),
        call_sid=_text(start, "callSid"),
        tracks=_tracks(start),
        parameters=_parameters(start),
    )


def _media(message: dict[str, Any]) -> Media:
    media = _object(message, "media")
    return Media(
        _text(message, "streamSid"),
        _text(media, "track"),
        _number(media, "chunk"),
        _number(media, "timestamp"),
        _audio(media.get("payload")),
    )


def _key_pressed(message: dict[str, Any]) -> KeyPressed:
    digit = _text(_object(message, "dtmf"), "digit")
    if len(digit) != 1 or digit not in "0123456789*#ABCD":
        raise BadFrame("digit is no key of a telephone.")
    return KeyPressed(_text(message, "streamSid"), digit)


def _mark_reached(message: dict[str, Any]) -> MarkReached:
    return MarkReached(_text(message, "streamSid"), _text(_object(message, "mark"), "name"))


def _stopped(message: dict[str, Any]) -> Stopped:
    return Stopped(_text(message, "streamSid"), _text(_object(message, "stop"), "callSid"))


_READERS: dict[str, Callable[[dict[str, Any]], Incoming]] = {
    "connected": _connected,
    "start": _started,
    "media": _media,
    "dtmf": _key_pressed,
    "mark": _mark_reached,
    "stop": _stopped,
}


def _object(message: dict[str, Any], field: str) -> dict[str, Any]:
    value = message.get(field)
    if type(value) is not dict:
        raise BadFrame(f"{field} is missing or no object.")
    return value


def _text(message: dict[str, Any], field: str) -> str:
    value = message.get(field)
    if type(value) is not str or len(value) > LONGEST_NAME_CHARS or not value.isprintable():
        raise BadFrame(f"{field} is missing, no text, too long, or holds characters that cannot be printed.")
    return value


def _number(message: dict[str, Any], field: str) -> int:
    value = message.get(field)
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) <= _LONGEST_NUMBER_CHARS:
        return int(value)
    if type(value) is int and 0 <= value < 10**_LONGEST_NUMBER_CHARS:
        return value
    raise BadFrame(f"{field} is missing or no number.")


def _audio(payload: object) -> bytes:
    if type(payload) is not str or len(payload) > LONGEST_AUDIO_BYTES * 4 // 3 + 4:
        raise BadFrame(f"payload is missing, no text, or longer than {LONGEST_AUDIO_BYTES} bytes of audio.")
    try:
        return binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:
        raise BadFrame("payload is not base64.") from None


def _tracks(start: dict[str, Any]) -> tuple[str, ...]:
    tracks = start.get("tracks")
    if type(tracks) is not list or not all(track in ("inbound", "outbound") for track in tracks):
        raise BadFrame("tracks is missing or names tracks that do not exist.")
    return tuple(tracks)


def _parameters(start: dict[str, Any]) -> Mapping[str, str]:
    parameters = start.get("customParameters", {})
    if type(parameters) is not dict or len(parameters) > MOST_PARAMETERS:
        raise BadFrame(f"customParameters is no object of at most {MOST_PARAMETERS} parameters.")
    for name in parameters:
        # The name of a parameter is the sender's, so the message must not repeat it.
        if len(name) > LONGEST_NAME_CHARS or not name.isprintable():
            raise BadFrame("A name in customParameters is too long or cannot be printed.")
    try:
        return MappingProxyType({name: _text(parameters, name) for name in parameters})
    except BadFrame:
        raise BadFrame("A value in customParameters is no text, too long, or cannot be printed.") from None

"""Messages of a media stream: those that Twilio writes, and what it makes of those it reads; pure.

Source: twilio.com/docs/voice/media-streams/websocket-messages. Numbers are strings there.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.twilio import notices

CONNECTED = json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
_FIELDS = {
    "media": frozenset({"event", "streamSid", "media"}),
    "mark": frozenset({"event", "streamSid", "mark"}),
    "clear": frozenset({"event", "streamSid"}),
}


class FrameWriter:
    """Writes the messages of one stream, numbered from 1."""

    def __init__(self, account_sid: str, call_sid: str, stream_sid: str) -> None:
        self._ids = {"accountSid": account_sid, "callSid": call_sid}
        self._stream_sid = stream_sid
        self._sequence = 0
        self._chunk = 0

    def start(self, parameters: Mapping[str, str]) -> str:
        """The message that tells whose stream it is."""
        told = {
            **self._ids,
            "streamSid": self._stream_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(parameters),
        }
        return self._message("start", told)

    def media(self, frame: bytes) -> str:
        """20 ms of the caller. Written by hand: there are thousands of these a second."""
        self._sequence += 1
        self._chunk += 1
        payload = base64.b64encode(frame).decode()
        return (
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{(self._chunk - 1) * 20}","payload":"{payload}"}},'
            f'"streamSid":"{self._stream_sid}"}}'
        )

    def dtmf(self, digit: str) -> str:
        """A key that the caller pressed."""
        return self._message("dtmf", {"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        """The echo of a mark."""
        return self._message("mark", {"name": name})

    def stop(self) -> str:
        """The end, told by Twilio."""
        return self._message("stop", self._ids)

    def _message(self, event: str, told: object) -> str:
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), event: told}
        return json.dumps({**message, "streamSid": self._stream_sid})


@dataclass(frozen=True, slots=True)
class Media:
    """Audio to play. ``has_header`` tells that a WAV header is in it, which sounds as a click."""

    audio: bytes
    has_header: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark to echo."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Empty the buffer."""


class Violation(ValueError):
    """A message that Twilio does not take; ``code`` is the number it is reported with."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def read_message(received: str | bytes, stream_sid: str) -> Media | Mark | Clear:
    """What the server wants.

    Raises:
        Violation: Twilio would ignore the message, and warn once per stream.
    """
    if isinstance(received, bytes):
        raise Violation(notices.STREAM_MALFORMED, "a binary message; send text")
    message = _object(received)
    event = message.get("event")
    if not isinstance(event, str) or event not in _FIELDS:
        raise Violation(notices.STREAM_INVALID, f"the event {event!r}; send media, mark or clear")
    if message.get("streamSid") != stream_sid:
        raise Violation(notices.STREAM_INVALID, f"{event} with the streamSid {message.get('streamSid')!r}")
    _check_fields(event, message, _FIELDS[event])
    if event == "media":
        return _media(message["media"])
    if event == "mark":
        return _mark(message["mark"])
    return Clear()


def _object(received: str) -> Mapping[str, Any]:
    try:
        message = json.loads(received)
    except ValueError:
        raise Violation(notices.STREAM_INVALID, "a message that is not JSON") from None
    if not isinstance(message, dict):
        raise Violation(notices.STREAM_INVALID, "a message that is no object")
    return message


def _check_fields(name: str, given: object, wanted: frozenset[str]) -> None:
    if not isinstance(given, dict):
        raise Violation(notices.STREAM_INVALID, f"{name} without the object {name}")
    if missing := sorted(wanted - given.keys()):
        raise Violation(notices.STREAM_INVALID, f"{name} without {', '.join(missing)}")
    if extra := sorted(given.keys() - wanted):
        raise Violation(notices.STREAM_INVALID, f"{name} with the unknown {', '.join(extra)}")


def _media(media: Any) -> Media:
    _check_fields("media", media, frozenset({"payload"}))
    payload = media["payload"]
    try:
        audio = base64.b64decode(payload, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Violation(notices.STREAM_INVALID, "media whose payload is not base64") from None
    if not audio:
        raise Violation(notices.STREAM_INVALID, "media without audio")
    return Media(audio, has_header=audio[:4] == b"RIFF")


def _mark(mark: Any) -> Mark:
    _check_fields("mark", mark, frozenset({"name"}))
    if not isinstance(mark["name"], str) or not mark["name"]:
        raise Violation(notices.STREAM_INVALID, "mark whose name is no text")
    return Mark(mark["name"])

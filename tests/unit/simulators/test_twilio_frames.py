"""Messages of a media stream: what Twilio writes, and each message that it does not take, with its number."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.twilio import frames, mulaw, notices

SID = "MZ1"
PAYLOAD = base64.b64encode(mulaw.QUIET_FRAME).decode()
GOOD: dict[str, dict[str, Any]] = {
    "media": {"event": "media", "streamSid": SID, "media": {"payload": PAYLOAD}},
    "mark": {"event": "mark", "streamSid": SID, "mark": {"name": "m"}},
    "clear": {"event": "clear", "streamSid": SID},
}
NAMES = st.sampled_from(["event", "streamSid", "media", "mark", "payload", "name", "other"])
SIMPLE = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([*GOOD, SID, PAYLOAD])
MESSAGES = st.recursive(SIMPLE, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))


def read(message: object) -> frames.Media | frames.Mark | frames.Clear:
    return frames.read_message(json.dumps(message), SID)


def violation(received: str | bytes) -> frames.Violation:
    with pytest.raises(frames.Violation) as caught:
        frames.read_message(received, SID)
    return caught.value


def test_media_mark_and_clear_are_taken() -> None:
    assert read(GOOD["media"]) == frames.Media(mulaw.QUIET_FRAME, has_header=False)
    assert read(GOOD["mark"]) == frames.Mark("m")
    assert read(GOOD["clear"]) == frames.Clear()


def test_a_binary_message_is_malformed() -> None:
    assert violation(mulaw.QUIET_FRAME).code == notices.STREAM_MALFORMED


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("no json", "not JSON"),
        ("[]", "no object"),
        (json.dumps({"streamSid": SID}), "the event None"),
        (json.dumps({"event": "stop", "streamSid": SID}), "the event 'stop'"),
        (json.dumps({"event": "media", "media": {"payload": PAYLOAD}}), "streamSid None"),
        (json.dumps({**GOOD["clear"], "streamSid": "MZ2"}), "streamSid 'MZ2'"),
        (json.dumps({"event": "mark", "streamSid": SID}), "mark without mark"),
        (json.dumps({**GOOD["mark"], "mark": "m"}), "without the object mark"),
        (json.dumps({**GOOD["mark"], "mark": {"name": ""}}), "name is no text"),
        (json.dumps({**GOOD["media"], "media": {}}), "media without payload"),
        (json.dumps({**GOOD["media"], "media": {"payload": "a b!"}}), "not base64"),
        (json.dumps({**GOOD["media"], "media": {"payload": 7}}), "not base64"),
        (json.dumps({**GOOD["media"], "media": {"payload": ""}}), "without audio"),
        (json.dumps({**GOOD["media"], "media": {"payload": PAYLOAD, "track": "outbound"}}), "unknown track"),
        (json.dumps({**GOOD["clear"], "sequenceNumber": "1"}), "unknown sequenceNumber"),
    ],
)
def test_what_does_not_keep_to_the_protocol_is_invalid(message: str, says: str) -> None:
    found = violation(message)
    assert found.code == notices.STREAM_INVALID
    assert says in str(found)


def test_a_wav_header_in_audio_is_noticed() -> None:
    payload = base64.b64encode(mulaw.wav(mulaw.QUIET_FRAME)).decode()
    media = read({**GOOD["media"], "media": {"payload": payload}})
    assert isinstance(media, frames.Media)
    assert media.has_header


@given(MESSAGES)
def test_no_message_breaks_the_reader(message: object) -> None:
    with suppress(frames.Violation):
        read(message)


def test_twilio_numbers_its_messages_and_tells_numbers_as_strings() -> None:
    writer = frames.FrameWriter("AC1", "CA1", SID)
    start = json.loads(writer.start({"token": "t"}))
    assert start["sequenceNumber"] == "1"
    assert start["start"]["customParameters"] == {"token": "t"}
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    first, second = (json.loads(writer.media(mulaw.QUIET_FRAME)) for _ in range(2))
    assert first["media"] == {"track": "inbound", "chunk": "1", "timestamp": "0", "payload": PAYLOAD}
    assert (second["sequenceNumber"], second["media"]["chunk"], second["media"]["timestamp"]) == (
        "3",
        "2",
        "20",
    )
    assert json.loads(writer.dtmf("#"))["dtmf"] == {"track": "inbound_track", "digit": "#"}
    assert json.loads(writer.mark('"\u05d0'))["mark"] == {"name": '"\u05d0'}
    stop = json.loads(writer.stop())
    assert (stop["event"], stop["stop"], stop["streamSid"]) == (
        "stop",
        {"accountSid": "AC1", "callSid": "CA1"},
        SID,
    )

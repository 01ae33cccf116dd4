"""Messages of Media Streams are read as Twilio sends them, and hostile ones are refused in words."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.voice import frames

CALL = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": "MZ1",
    "start": {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "customParameters": {"token": "secret", "from": "+97254"},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    },
}


def media(**changes: Any) -> str:
    inner = {"track": "inbound", "chunk": "2", "timestamp": "40", "payload": "//8="} | changes
    return json.dumps({"event": "media", "sequenceNumber": "3", "streamSid": "MZ1", "media": inner})


def test_a_call_is_told_with_the_parameters_of_its_twiml() -> None:
    assert frames.parse(json.dumps(CALL)) == frames.Started(
        "MZ1", "AC1", "CA1", ("inbound",), {"token": "secret", "from": "+97254"}
    )


def test_audio_comes_as_bytes_and_numbers_as_numbers() -> None:
    assert frames.parse(media()) == frames.Media("MZ1", "inbound", 2, 40, b"\xff\xff")


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ({"event": "connected", "protocol": "Call", "version": "1.0.0"}, frames.Connected("Call", "1.0.0")),
        ({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": "#"}},
         frames.KeyPressed("MZ1", "#")),
        ({"event": "mark", "streamSid": "MZ1", "mark": {"name": "s1"}}, frames.MarkReached("MZ1", "s1")),
        ({"event": "stop", "streamSid": "MZ1", "stop": {"accountSid": "AC1", "callSid": "CA1"}},
         frames.Stopped("MZ1", "CA1")),
        ({"event": "tea"}, frames.Unknown()),
    ],
)  # fmt: skip
def test_each_event_is_read(message: dict[str, Any], read: frames.Incoming) -> None:
    assert frames.parse(json.dumps(message)) == read


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00", "", "{", "[]", "1", "null", '"media"', "{}", '{"event": 1}', '{"event": ["media"]}',
        "[" * 60_000, "9" * 5_000, " " * (frames.LONGEST_FRAME_CHARS + 1),
        '{"event": "media"}', '{"event": "media", "streamSid": "MZ1", "media": []}',
        media(payload="ÿ"), media(payload="a"), media(payload="//8=\n"), media(payload=None),
        media(payload="AAAA" * 2_700), media(chunk="-1"), media(chunk="٣"), media(chunk=True),
        media(chunk=1.5), media(timestamp="9" * 16), media(timestamp=10**15), media(track=None),
        json.dumps(CALL | {"streamSid": "M\u0000Z"}), json.dumps(CALL | {"streamSid": "\ud800"}),
        json.dumps(CALL | {"start": CALL["start"] | {"customParameters": {"token": 1}}}),  # type: ignore[operator]
        json.dumps(CALL | {"start": CALL["start"] | {"customParameters": {"x" * 501: ""}}}),  # type: ignore[operator]
        json.dumps(CALL | {"start": CALL["start"] | {"tracks": "inbound"}}),  # type: ignore[operator]
        json.dumps(CALL | {"start": CALL["start"] | {"tracks": [{}]}}),  # type: ignore[operator]
        json.dumps(CALL | {"start": CALL["start"] | {  # type: ignore[operator]
            "mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 16000, "channels": 1}}}),
        '{"event": "dtmf", "streamSid": "MZ1", "dtmf": {"digit": "12"}}',
        '{"event": "mark", "streamSid": "MZ1", "mark": "s1"}',
    ],
)  # fmt: skip
def test_what_is_no_frame_is_refused(frame: str | bytes) -> None:
    with pytest.raises(frames.BadFrame):
        frames.parse(frame)


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(frames.BadFrame) as refused:
        frames.parse(json.dumps(CALL | {"start": CALL["start"] | {"customParameters": {"name-x": ["v-x"]}}}))  # type: ignore[operator]
    assert "-x" not in str(refused.value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop"]), _JSON, _JSON)
def test_no_message_does_harm(event: str, inner: object, sid: object) -> None:
    message = {"event": event, "streamSid": sid, event: inner}
    with suppress(frames.BadFrame):
        frames.parse(json.dumps(message))


@given(st.binary(max_size=400), st.text())
def test_what_goes_out_is_what_was_meant(audio: bytes, name: str) -> None:
    out = frames.Outgoing("MZ1")
    sent = json.loads(out.media(audio))
    assert base64.b64decode(sent["media"].pop("payload"), validate=True) == audio
    assert sent == {"event": "media", "streamSid": "MZ1", "media": {}}
    assert json.loads(out.mark(name)) == {"event": "mark", "streamSid": "MZ1", "mark": {"name": name}}
    assert json.loads(out.clear()) == {"event": "clear", "streamSid": "MZ1"}

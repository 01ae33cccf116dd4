"""``<Connect><Stream>``: makes the media stream that the document asks for, and tells its status callback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from simulators.twilio import frames, notices, twiml
from simulators.twilio.notices import CallFailure
from simulators.twilio.stream import MediaStream, StreamFailure, StreamParts, StreamRecord
from simulators.twilio.twiml import Document, Verb

if TYPE_CHECKING:
    from simulators.twilio.call import Call


async def connect_stream(call: Call, connect: Verb, document: Document) -> str:
    """Connect the caller until the server closes the socket or the socket breaks; returns the StreamSid.

    Raises:
        CallFailure: the document asks for something that Twilio does not do.
    """
    if len(connect.children) != 1:
        raise CallFailure(notices.SCHEMA, "<Connect> takes one <Stream>")
    noun = connect.children[0]
    url, parameters = twiml.stream_url(noun), twiml.stream_parameters(noun)
    record = StreamRecord(call.exchange.account.new_sid("MZ"), url)
    call.streams.append(record)
    stream = MediaStream(_parts(call), record, _writer(call, record))
    call.stream = stream
    try:
        await stream.open()
        _tell(call, noun, document, record, "stream-started")
        await stream.run(parameters)
    except StreamFailure as failure:
        call.notice(failure.code, str(failure))
        _tell(call, noun, document, record, "stream-error", str(failure))
    else:
        _tell(call, noun, document, record, "stream-stopped")
    finally:
        call.stream = None
    return record.stream_sid


def _writer(call: Call, record: StreamRecord) -> frames.FrameWriter:
    return frames.FrameWriter(call.exchange.account.account_sid, call.sid, record.stream_sid)


def _parts(call: Call) -> StreamParts:
    return StreamParts(
        stopwatch=call.stopwatch,
        line=call.line,
        playback=call.playback,
        heard=call.heard,
        routes=call.exchange.routes,
        signer=call.exchange.signer,
        tell=call.tell,
        notice=call.notice,
    )


def _tell(
    call: Call, noun: Verb, document: Document, record: StreamRecord, event: str, error: str = ""
) -> None:
    callback = noun.get("statusCallback")
    if not callback:
        return
    told = {
        "AccountSid": call.exchange.account.account_sid,
        "CallSid": call.sid,
        "StreamSid": record.stream_sid,
        "StreamName": noun.get("name", record.stream_sid),
        "StreamEvent": event,
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    if error:
        told["StreamError"] = error
    call.call_back(document.resolve(callback), noun.get("statusCallbackMethod", "POST"), told)

"""One call from the page: its socket is the handset of a caller on the phone network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from simulators.twilio import mulaw
from simulators.twilio.call import Call
from simulators.twilio.caller import Caller
from simulators.twilio.talk_handset import BrowserHandset
from simulators.twilio.talk_messages import READER, Dial, HangUp, Key, Message, Played, Say, Typing

# Who types is heard to speak: a network that listens for words would give up on them.
_TYPING_LEVEL = 0.1

PlaceCall = Callable[[BrowserHandset], Caller]


class NotUnderstood(Exception):
    """The page has sent something that it may not; the message says what."""


class Outbox:
    """What goes to the page, in order; the loudspeaker of a handset."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes | str | None] = asyncio.Queue()

    def sound(self, audio: bytes) -> None:
        """Queue mu-law *audio*."""
        self._waiting.put_nowait(audio)

    def mark(self, number: int) -> None:
        """Tell when all queued before has been played."""
        self.tell("mark", mark=number)

    def clear(self) -> None:
        """Forget what is queued, marks too."""
        self.tell("clear")

    def tell(self, message: str, **told: Any) -> None:
        """Send a message."""
        self._waiting.put_nowait(json.dumps({"type": message, **told}))

    def end(self) -> None:
        """Nothing more will come."""
        self._waiting.put_nowait(None)

    async def run(self, websocket: WebSocket) -> None:
        """Send all to its end."""
        while (message := await self._waiting.get()) is not None:
            if isinstance(message, bytes):
                await websocket.send_bytes(message)
            else:
                await websocket.send_text(message)


class TalkSession:
    """Takes one socket of the page from the call it asks for to that call's end."""

    def __init__(self, websocket: WebSocket, place: PlaceCall) -> None:
        self._websocket = websocket
        self._place = place
        self._outbox = Outbox()
        self._doing: set[asyncio.Task[object]] = set()

    async def run(self) -> Call | None:
        """Talk until the call has ended or the page has gone; returns the call, if there was one.

        Raises:
            NotUnderstood: the page has said what none of ours does; the call has ended.
        """
        try:
            first = await self._receive()
            if not isinstance(first, Dial):
                raise NotUnderstood("a call comes first")
        except WebSocketDisconnect:
            return None
        handset = BrowserHandset(self._outbox, frozenset(first.speaks))
        caller = self._place(handset)
        try:
            await self._talk(caller, handset)
        finally:
            await caller.hang_up()
            for task in self._doing:
                task.cancel()
        return caller.call

    async def _talk(self, caller: Caller, handset: BrowserHandset) -> None:
        """Until the page has been told of the end, or has gone."""
        telling = asyncio.create_task(self._tell_events(caller.call))
        sending = asyncio.create_task(self._outbox.run(self._websocket))
        reading = asyncio.create_task(self._read(caller, handset))
        try:
            await asyncio.wait({sending, reading}, return_when=asyncio.FIRST_COMPLETED)
            for task in (sending, reading):
                if task.done():
                    task.result()
        except WebSocketDisconnect:
            # A page that is closed has hung up.
            pass
        finally:
            for task in (telling, sending, reading):
                task.cancel()
            await asyncio.gather(telling, sending, reading, return_exceptions=True)

    async def _tell_events(self, call: Call) -> None:
        async for event in call.follow():
            self._outbox.tell("event", at=round(event.at, 3), kind=event.kind, detail=event.detail)
        self._outbox.end()

    async def _read(self, caller: Caller, handset: BrowserHandset) -> None:
        """Do what the page wants.

        Raises:
            NotUnderstood: it wants what there is not.
            WebSocketDisconnect: it has gone.
        """
        while True:
            message = await self._receive()
            match message:
                case bytes():
                    handset.microphone.put(message)
                case Played(mark=mark):
                    handset.playback.played(mark)
                    if caller.call.stream is not None:
                        caller.call.stream.echo_marks()
                case Key(key=key):
                    self._begin(caller.press(key))
                case Typing(is_typing=is_typing):
                    caller.noise(_TYPING_LEVEL if is_typing else 0)
                case Say(text=text):
                    caller.noise(0)
                    self._begin(caller.say(text))
                case HangUp():
                    caller.call.hang_up("the caller")
                case Dial():
                    raise NotUnderstood("one call at a time")

    def _begin(self, doing: Coroutine[Any, Any, object]) -> None:
        """Audio of the microphone goes on coming meanwhile."""
        task = asyncio.create_task(doing)
        self._doing.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[object]) -> None:
        self._doing.discard(task)
        if not task.cancelled():
            # That the call ended before it was done is no fault.
            task.exception()

    async def _receive(self) -> bytes | Message:
        """What comes next: a frame, or a message.

        Raises:
            NotUnderstood: it is neither.
            WebSocketDisconnect: the page has gone.
        """
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        audio = received.get("bytes")
        if audio is not None:
            if len(audio) != mulaw.FRAME_BYTES:
                raise NotUnderstood(f"a frame has {mulaw.FRAME_BYTES} bytes, not {len(audio)}")
            return bytes(audio)
        try:
            return READER.validate_json(received.get("text") or "")
        except ValidationError as error:
            raise NotUnderstood(str(error.errors()[0]["msg"])) from None

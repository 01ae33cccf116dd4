"""The console's stream over a real server, and a page that listens to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from server.console.live import LIVE_PATH
from server.console.sessions import BEGAN, SESSION_COOKIE, SESSION_ID, SessionCookies, Sessions, session_id
from server.ports.clock import Clock
from server.realtime.sockets import OpenSockets
from server.realtime.staff_streams import StaffStreams
from server.realtime.staff_watch import MarkOf, mark_of
from server.store.changes import Changes
from server.store.session import Database
from server.store.users import User, Users
from tests.support.chat_stands import WAIT_S, RealtimeStand, realtime_stand

KEY = "a key of the test"


@contextmanager
def live_stand(
    database: Database, clock: Clock, key: str = KEY, marks: MarkOf | None = None, **limits: Any
) -> Iterator[RealtimeStand]:
    """The realtime server with the console's stream over *database*; *limits* are those of `StaffStreams`."""
    sessions, cookies = Sessions(Users(database, clock), clock), SessionCookies(key)

    def user_of(cookie: str) -> User | None:
        return sessions.user_of(cookies.held_by(cookie))

    def staff(sockets: OpenSockets) -> StaffStreams:
        asked = marks or mark_of(Changes(database, clock))
        return StaffStreams(user_of=user_of, mark_of=asked, sockets=sockets, **limits)

    with realtime_stand(staff=staff) as stand:
        yield stand


def cookie_of(user: User, clock: Clock, key: str = KEY) -> dict[str, str]:
    """What the browser of *user* sends, logged in just now."""
    app = Flask(__name__)
    app.secret_key = key
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    held = {BEGAN: int(clock.now().timestamp()), SESSION_ID: session_id(user)}
    return {"Cookie": f"{SESSION_COOKIE}={signer.dumps(held)}"}


class Page:
    """A page that listens."""

    def __init__(self, answer: requests.Response) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self._answer = answer
        self._lines = answer.iter_lines(chunk_size=1, decode_unicode=True)

    def next(self) -> tuple[str, Any]:
        """The next event: its name, and its id or what else it tells.

        Raises:
            StopIteration: the stream has ended.
        """
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = value
            elif not line and "event" in fields:
                return fields["event"], fields.get("id") or json.loads(fields["data"])
            elif not line:
                fields.clear()
        raise StopIteration

    def next_of(self, name: str) -> Any:
        """The next event of that name."""
        while (found := self.next())[0] != name:
            pass
        return found[1]

    def await_end(self) -> list[str]:
        """The names of all events until the stream ends."""
        names = []
        try:
            while True:
                names.append(self.next()[0])
        except StopIteration:
            return names

    def close(self) -> None:
        """The page goes."""
        self._answer.close()


@contextmanager
def listening(
    stand: RealtimeStand, headers: Mapping[str, str], conversation: object = None
) -> Iterator[Page]:
    """A page on the list, or on a conversation."""
    get = partial(requests.get, stream=True, timeout=WAIT_S)
    query = {} if conversation is None else {"conversation": str(conversation)}
    with get(stand.url + LIVE_PATH, params=query, headers=headers) as answer:
        yield Page(answer)

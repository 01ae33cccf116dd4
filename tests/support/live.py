"""The console's stream over a real server, and a page that listens to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
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
from server.store.needs import Needs
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
        asked = marks or mark_of(Changes(database, clock), Needs(database))
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
        """The next event but for ``waiting``: its name, and its id or what else it tells.

        Raises:
            StopIteration: the stream has ended.
        """
        while (found := self._next())[0] == "waiting":
            pass
        return found

    def next_waiting(self) -> Any:
        """What the next ``waiting`` tells."""
        return self._next_of("waiting", self._next)

    def _next(self) -> tuple[str, Any]:
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
        """The next event of that name, but for ``waiting``."""
        return self._next_of(name, self.next)

    @staticmethod
    def _next_of(name: str, events: Callable[[], tuple[str, Any]]) -> Any:
        while (found := events())[0] != name:
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

    def await_sign_of_life(self) -> None:
        """Wait for what a stream says that has nothing to tell.

        Raises:
            StopIteration: the stream has ended.
        """
        while not next(self._lines).startswith(":"):
            pass

    def close(self) -> None:
        """The page goes."""
        self._answer.close()


@contextmanager
def listening(
    stand: RealtimeStand, headers: Mapping[str, str], conversation: object = None, **asked: int | str
) -> Iterator[Page]:
    """A page on the list, or on a conversation, or one that asks for something else."""
    get = partial(requests.get, stream=True, timeout=WAIT_S)
    query = {"conversation": str(conversation)} if conversation is not None else asked
    with get(stand.url + LIVE_PATH, params=query, headers=headers) as answer:
        yield Page(answer)

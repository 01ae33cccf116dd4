"""Trying the desk: staff write or speak as a guest would, and see what is answered and why."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from flask import Blueprint, Response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_member
from server.console.conversations import note_seen
from server.console.live import call_url, stream_url, waiting_url
from server.console.pages import Pages
from server.domain.events import Replace, Token
from server.domain.messages import Channel, GuestAddress, InboundMessage, MessageKind
from server.domain.numbers import PhoneSetup
from server.domain.phrases import Phrase
from server.domain.playground import playground_key
from server.domain.staff import Permission
from server.domain.views import InboundView, OutboundView, ThreadPage
from server.errors import Conflict, UnprocessableRequest
from server.inbox.streams import Done, Failed, Numbered, ReplyStream
from server.ports.clock import Clock
from server.store.playground import Playground
from server.store.queries import ConsoleQueries
from server.store.seen import SeenMarks

LONGEST_QUESTION = 2_000
# An answer has a limit of its own, which is shorter; this is for one that never learns of it.
LONGEST_WAIT_S = 40.0
# So often a stream says something, so that it is noticed when nobody reads it any more.
SIGN_OF_LIFE_S = 2.0

# Where the session holds the name of the test that its user is at.
_NAME = "test"

# What a guest may ask first, in the languages that the desk has words of its own in.
_EXAMPLES: Mapping[str, Sequence[str]] = {
    "en": ("When is check-in?", "Is there parking?", "May I bring my dog?"),
    "he": ("מאיזו שעה אפשר להיכנס לחדר?", "יש חניה?", "אפשר לבוא עם כלב?"),
}


class Answering(Protocol):
    """Answers a message on the call itself, as `server.inbox.answer.Answers` does."""

    def stream(self, message: InboundMessage) -> ReplyStream:
        """Save *message* and answer it; the same message again is not answered again.

        Raises:
            StoreUnavailable: nothing was saved.
        """
        ...


def add_playground(
    blueprint: Blueprint,
    pages: Pages,
    queries: ConsoleQueries,
    playground: Playground,
    seen: SeenMarks,
    answers: Answering,
    phone: PhoneSetup,
    stream_port: int | None,
) -> None:
    """Add the page and its forms. A test belongs to whoever began it, in that browser."""

    @blueprint.get("/playground")
    @needs(Permission.ANSWER)
    def show_test() -> str:
        tenant_id = current_member().tenant_id
        found = playground.find(tenant_id, _key())
        thread = None if found is None else queries.thread(tenant_id, found)
        if thread is not None:
            note_seen(seen, tenant_id, thread.conversation)
        return pages.render(
            "playground.html",
            thread=thread,
            wait=_wait(thread),
            suggestions=_examples(pages) if found is None else playground.quick_replies(tenant_id, found),
            form_id=secrets.token_urlsafe(16),
            longest=LONGEST_QUESTION,
            has_speech=phone.has_speech,
            call_url=call_url(stream_port),
            stream=waiting_url(stream_port, current_member().id),
        )

    @blueprint.post("/playground")
    @needs(Permission.ANSWER)
    def ask() -> ResponseReturnValue:
        stream = answers.stream(_message(pages.clock))
        # What comes later than that will stand on the page all the same.
        stream.wait_for_end(LONGEST_WAIT_S)
        return redirect(url_for("console.show_test", _anchor="latest"), 303)

    @blueprint.post("/playground/stream")
    @needs(Permission.ANSWER)
    def ask_along() -> Response:
        return Response(_told(answers.stream(_message(pages.clock))), mimetype="application/x-ndjson")

    @blueprint.post("/playground/calls")
    @needs(Permission.ANSWER)
    def begin_call() -> ResponseReturnValue:
        if not phone.has_speech:
            raise Conflict(Phrase("the server has no key for speech: whoever runs it sets one"))
        user = current_member()
        begun = playground.call(user.tenant_id, _key(), user.name)
        told = {
            "call": begun.id,
            "token": begun.token,
            "stream": stream_url(stream_port, begun.conversation_id),
        }
        return told, HTTPStatus.CREATED

    @blueprint.post("/playground/new")
    @needs(Permission.ANSWER)
    def begin_anew() -> ResponseReturnValue:
        session.pop(_NAME, None)
        return redirect(url_for("console.show_test"), 303)


def _key() -> str:
    """The chat key of the test that this session is at; another one for another user."""
    if _NAME not in session:
        session[_NAME] = secrets.token_urlsafe(9)
    return playground_key(current_member().id, session[_NAME])


def _message(clock: Clock) -> InboundMessage:
    user, key = current_member(), _key()
    # A zero byte is the one character that PostgreSQL cannot take.
    text = request.form.get("text", "").replace("\0", "").strip()
    if not 0 < len(text) <= LONGEST_QUESTION:
        raise UnprocessableRequest(
            Phrase("go back and write 1 to {most:,} characters", most=LONGEST_QUESTION)
        )
    # The page's own: a form that is sent twice is one message.
    form_id = request.form.get("id") or secrets.token_hex(16)
    return InboundMessage(
        tenant_id=user.tenant_id,
        channel=Channel.CHAT,
        address=GuestAddress(reply_to=key, chat_key=key, name=user.name),
        provider_id="form-" + hashlib.sha256(form_id.encode()).hexdigest(),
        kind=MessageKind.TEXT,
        text=text,
        sent_at=clock.now(),
    )


def _wait(thread: ThreadPage | None) -> str:
    """Why the last message has no answer yet: ``late``, ``paused`` or ``human``; empty if it has one."""
    spoken = [line for line in thread.lines if isinstance(line, InboundView | OutboundView)] if thread else []
    last = spoken[-1] if spoken else None
    if not isinstance(last, InboundView):
        return ""
    return "late" if last.is_waiting else last.unanswered_because


def _examples(pages: Pages) -> Sequence[str]:
    languages = pages.tenants.get(current_member().tenant_id).settings.languages
    return [question for language in languages for question in _EXAMPLES.get(language, ())]


def _told(stream: ReplyStream) -> Iterator[str]:
    """A line of JSON for each thing that is said, and a last one; empty lines between them mean nothing."""
    after, until = 0, time.monotonic() + LONGEST_WAIT_S
    while time.monotonic() < until:
        events = stream.read(after, SIGN_OF_LIFE_S)
        if not events:
            yield "\n"
        for numbered in events:
            after = numbered.number
            yield _line(numbered)
            if isinstance(numbered.event, Done | Failed):
                return


def _line(numbered: Numbered) -> str:
    told: dict[str, Any] = {}
    match numbered.event:
        case Token(text):
            told = {"say": text}
        case Replace(text):
            told = {"instead": text}
        case Done() | Failed():
            told = {"done": True}
    return json.dumps(told) + "\n" if told else "\n"

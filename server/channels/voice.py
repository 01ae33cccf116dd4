"""Twilio's webhooks: what a call begins with, goes on with, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from server.channels import twiml
from server.channels.twilio_signature import HEADER, TwilioSignatures
from server.domain.calls import Call, NextStep, wants_person
from server.domain.conversations import Reply, Speaker
from server.errors import InvalidRequest, NotFound
from server.voice.keys import Entered, WantsPerson, WantsRepeat, wish
from server.voice.lines import Line, greeting, is_farewell, line
from server.voice.telephone import FALLBACK_TURNS, Telephone, language_of

# So often nothing is heard before a message is taken instead.
_MOST_EMPTY = 2
# Of `<Dial>`: the other side took the call, and has hung up since.
_TAKEN = frozenset({"completed", "answered"})
_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

Fields = Mapping[str, str]


def voice_blueprint(telephone: Telephone, signatures: TwilioSignatures) -> Blueprint:
    """``/voice/incoming``, ``/turn``, ``/status``: nothing happens without a valid signature."""
    blueprint = Blueprint("voice", __name__, url_prefix="/voice")
    steps = CallSteps(telephone, signatures)

    @blueprint.before_request
    def check_signature() -> None:
        path = request.full_path if request.query_string else request.path
        signatures.check_webhook(path, request.form, request.headers.get(HEADER, ""))

    @blueprint.post("/incoming")
    def incoming() -> Response:
        return _xml(steps.incoming(request.form))

    @blueprint.post("/turn")
    def turn() -> Response:
        return _xml(steps.turn(request.form, request.args))

    @blueprint.post("/status")
    def status() -> tuple[str, int]:
        state = _field(request.form, "CallStatus")
        if state in _OVER:
            telephone.ended(_field(request.form, "CallSid"), state, _seconds(request.form))
        return "", 204

    return blueprint


class CallSteps:
    """Decides what Twilio does with a call next; each answer is TwiML."""

    def __init__(self, telephone: Telephone, signatures: TwilioSignatures) -> None:
        self._telephone = telephone
        self._signatures = signatures
        # What came with a turn's webhook tells what it is about.
        self._turns: Mapping[str, Callable[[Call, str, Fields], str]] = {
            "DialCallStatus": self._dialled,
            "RecordingUrl": self._recorded,
            "SpeechResult": self._spoken,
            "Digits": self._pressed,
        }

    def incoming(self, form: Fields) -> str:
        """A call has come in: talk, unless the business lets its own telephone ring first."""
        try:
            call = self._telephone.ring(_field(form, "CallSid"), _field(form, "To"), _caller(form))
        except NotFound:
            return twiml.end(line(Line.NOT_IN_SERVICE, "en"), "en")
        if self._telephone.rings_first(call):
            return self._ring_desk(call, "", turn=0, is_first=True)
        return self._talk(call, turn=0)

    def turn(self, form: Fields, query: Fields) -> str:
        """Go on with a call that is not on its media socket, or no longer.

        Raises:
            NotFound: there is no such call.
        """
        call = self._telephone.find(_field(form, "CallSid"))
        if call is None:
            raise NotFound("there is no such call")
        if _count(query, "wait"):
            return self._waited(call, query)
        for name, step in self._turns.items():
            if form.get(name):
                return step(call, form[name], query)
        return self._next(call, query)

    def _next(self, call: Call, query: Fields) -> str:
        """The media socket is closed or never opened, or nothing was heard."""
        language = language_of(call, "")
        turn, unheard = _count(query, "turn"), _count(query, "empty")
        if unheard > _MOST_EMPTY:
            return self._take_message("", language)
        if unheard:
            return self._ask(line(Line.NOT_HEARD, language), language, empty=unheard + 1, turn=turn)
        if call.next_step is NextStep.HANG_UP:
            return twiml.end(call.to_say, language)
        if call.next_step is NextStep.TRANSFER:
            return self._ring_desk(call, call.to_say, turn=turn)
        if call.next_step is NextStep.MESSAGE:
            return self._take_message(call.to_say, language)
        if call.is_for_staff:
            return self._give_to_staff(call, turn=turn)
        return self._ask(call.to_say or greeting(call.tenant.settings, language), language, turn=turn)

    def _spoken(self, call: Call, words: str, query: Fields) -> str:
        if is_farewell(words):
            language = language_of(call, words)
            return twiml.end(line(Line.GOODBYE, language), language)
        turn = _count(query, "turn")
        if call.is_for_staff:
            return self._give_to_staff(call, turn=turn)
        reply = self._telephone.answer(call, FALLBACK_TURNS + turn, words)
        return self._tell(call, reply, language_of(call, words), turn=turn)

    def _waited(self, call: Call, query: Fields) -> str:
        """The caller was told to wait for an answer."""
        turn, waited = _count(query, "turn"), _count(query, "wait")
        reply = self._telephone.wait_for(call, FALLBACK_TURNS + turn)
        return self._tell(call, reply, language_of(call, ""), turn=turn, waited=waited)

    def _tell(self, call: Call, reply: Reply | None, language: str, *, turn: int, waited: int = 0) -> str:
        """Say *reply* and listen; without one, have the caller wait."""
        if reply is None:
            told = line(Line.STILL_LOOKING if waited else Line.ONE_MOMENT, language)
            return twiml.hold(told, language, self._turn_url(turn=turn, wait=waited + 1))
        if wants_person(reply) and call.tenant.settings.transfer_number:
            return self._ring_desk(call, reply.text, turn=turn + 1)
        return self._ask(reply.text, reply.language, turn=turn + 1)

    def _pressed(self, call: Call, keys: str, query: Fields) -> str:
        language, turn = language_of(call, ""), _count(query, "turn")
        wanted = wish(keys)
        if isinstance(wanted, WantsPerson):
            return self._ring_desk(call, line(Line.TRANSFERRING, language), turn=turn)
        if isinstance(wanted, Entered):
            return self._spoken(call, wanted.digits, query)
        last = _last_said(call) if isinstance(wanted, WantsRepeat) else ""
        return self._ask(last or line(Line.NOT_HEARD, language), language, turn=turn)

    def _dialled(self, call: Call, status: str, query: Fields) -> str:
        """A transfer has ended, with a talk or with nobody there."""
        if status in _TAKEN:
            return twiml.end("", "en")
        if not _count(query, "ring"):
            sorry = self._telephone.nobody_there(call, language_of(call, ""))
            self._telephone.go_on_with(call, NextStep.ASK, sorry)
        return self._talk(call, turn=_count(query, "turn"))

    def _recorded(self, call: Call, url: str, _query: Fields) -> str:
        self._telephone.message_left(call, url)
        language = language_of(call, "")
        return twiml.end(line(Line.MESSAGE_TAKEN, language), language)

    def _talk(self, call: Call, *, turn: int) -> str:
        socket_url = f"{self._signatures.socket_base_url}{twiml.STREAM_PATH}"
        return twiml.stream(socket_url, self._telephone.issue_token(call), self._turn_url(turn=turn))

    def _ring_desk(self, call: Call, text: str, *, turn: int, is_first: bool = False) -> str:
        number, language = call.tenant.settings.transfer_number, language_of(call, "")
        if not number:
            return self._take_message(self._telephone.nobody_there(call, language), language)
        next_url = self._turn_url(turn=turn, ring=int(is_first))
        return twiml.transfer(text, language, number, call.called, next_url)

    def _give_to_staff(self, call: Call, *, turn: int) -> str:
        """Ring them; who has come back from that without an answer leaves a message."""
        language = language_of(call, "")
        if call.to_say:
            return self._take_message(call.to_say, language)
        return self._ring_desk(call, line(Line.TRANSFERRING, language), turn=turn)

    def _take_message(self, text: str, language: str) -> str:
        told = f"{text} {line(Line.LEAVE_A_MESSAGE, language)}".strip()
        return twiml.take_message(told, language, self._turn_url())

    def _ask(self, text: str, language: str, *, turn: int, empty: int = 1) -> str:
        return twiml.ask(text, language, self._turn_url(empty=empty, turn=turn))

    def _turn_url(self, **state: int) -> str:
        """Where the call goes on; *state* comes back with it."""
        query = urlencode({name: value for name, value in state.items() if value})
        return self._signatures.url(f"{twiml.TURN_PATH}?{query}" if query else twiml.TURN_PATH)


def _field(form: Fields, name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise InvalidRequest(f"{name} is missing from the webhook")
    return value


def _last_said(call: Call) -> str:
    said = (one.text for one in reversed(call.history) if one.speaker is Speaker.HOST)
    return next(said, "")


def _caller(form: Fields) -> str:
    """The caller's number; empty where the network withheld it."""
    given = form.get("From", "")
    return given if given.startswith("+") and given[1:].isdecimal() else ""


def _count(query: Fields, name: str) -> int:
    # The address is signed with its query: what stands there is ours.
    return int(query.get(name, "0"))


def _seconds(form: Fields) -> int | None:
    given = form.get("CallDuration", "")
    return int(given) if given.isdecimal() else None


def _xml(body: str) -> Response:
    return Response(body, content_type="text/xml; charset=utf-8")

"""The webhooks of a call: signed or refused, and each tells Twilio what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from server.channels.twilio_signature import TwilioSignatures
from server.channels.voice import voice_blueprint
from server.domain.calls import Call, NextStep
from server.domain.conversations import HistoryLine, Mode, Reply, Speaker
from server.errors import AppError, NotFound
from server.voice.lines import Line, greeting, line, nobody_there
from server.voice.telephone import FALLBACK_TURNS
from simulators.twilio import twiml
from simulators.twilio.twiml import Verb
from tests.support.phone_lines import a_call, a_reply

TOKEN, BASE = "t" * 32, "https://desk.example"
CALLER = {"CallSid": "CA1", "From": "+972501111111", "To": "+97231234567"}


class FakeTelephone:
    """Keeps the interface of ``Telephone`` for one call; ``done`` is what was asked of it."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.reply: Reply = a_reply("Breakfast is at seven.")
        # So often it is not there yet.
        self.late = 0
        self.done: list[tuple[Any, ...]] = []

    def ring(self, call_id: str, called: str, caller: str) -> Call:
        """The call, to a known number."""
        self.done.append(("ring", call_id, called, caller))
        if called != self.call.called:
            raise NotFound("no business has this phone number")
        return self.call

    def find(self, call_id: str) -> Call | None:
        """The call."""
        return self.call if call_id == self.call.id else None

    def rings_first(self, call: Call) -> bool:
        """As the business wants it."""
        return call.tenant.settings.rings_first

    def nobody_there(self, call: Call, language: str) -> str:
        """As `server.voice.lines` has it, at noon of a Saturday."""
        return nobody_there(call.tenant.settings, language, datetime(2026, 11, 21, 10, tzinfo=UTC))

    def issue_token(self, call: Call) -> str:
        """A secret."""
        self.done.append(("token", call.id))
        return "secret"

    def go_on_with(self, call: Call, step: NextStep, to_say: str = "") -> None:
        """Note it."""
        self.done.append(("next", step, to_say))
        self.call = replace(call, next_step=step, to_say=to_say)

    def answer(self, call: Call, number: int, words: str) -> Reply | None:  # noqa: ARG002
        """What was prepared."""
        self.done.append(("answer", number, words))
        return self._reply()

    def wait_for(self, call: Call, number: int) -> Reply | None:  # noqa: ARG002
        """What was prepared."""
        self.done.append(("wait", number))
        return self._reply()

    def message_left(self, call: Call, recording_url: str) -> None:  # noqa: ARG002
        """Note it."""
        self.done.append(("message", recording_url))

    def ended(self, call_id: str, because: str, seconds: int | None) -> None:
        """Note it."""
        self.done.append(("ended", call_id, because, seconds))

    def _reply(self) -> Reply | None:
        self.late -= 1
        return self.reply if self.late < 0 else None


@pytest.fixture
def telephone() -> FakeTelephone:
    return FakeTelephone(a_call())


@pytest.fixture
def client(telephone: FakeTelephone) -> FlaskClient:
    app = Flask(__name__)
    app.register_error_handler(AppError, lambda error: (str(error), error.status))
    app.register_blueprint(voice_blueprint(telephone, TwilioSignatures(TOKEN, BASE)))  # type: ignore[arg-type]
    return app.test_client()


def post(client: FlaskClient, path: str, *, signed_for: str = BASE, **fields: str) -> TestResponse:
    form = CALLER | fields
    signature = RequestValidator(TOKEN).compute_signature(f"{signed_for}{path}", form)
    return client.post(path, data=form, headers={"X-Twilio-Signature": signature})


def verbs(answer: TestResponse) -> Sequence[Verb]:
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/xml")
    return twiml.parse(answer.data, BASE).verbs


def says(answer: TestResponse) -> str:
    """All that is said."""
    found = [*verbs(answer), *(child for verb in verbs(answer) for child in verb.children)]
    return " ".join(verb.text for verb in found if verb.name == "Say")


def names(answer: TestResponse) -> list[str]:
    return [verb.name for verb in verbs(answer)]


def state_of(url: str) -> Mapping[str, str]:
    assert url.startswith(f"{BASE}/voice/turn")
    return dict(parse_qsl(urlsplit(url).query))


@pytest.mark.parametrize("path", ["/voice/incoming", "/voice/turn", "/voice/status"])
@pytest.mark.parametrize("headers", [{}, {"X-Twilio-Signature": "forged"}])
def test_what_is_not_signed_is_refused_and_nothing_happens(
    client: FlaskClient, telephone: FakeTelephone, path: str, headers: dict[str, str]
) -> None:
    answer = client.post(path, data=CALLER | {"CallStatus": "completed"}, headers=headers)
    assert answer.status_code == 403
    assert telephone.done == []


def test_a_signature_for_another_address_is_refused_whatever_host_is_told(
    client: FlaskClient, telephone: FakeTelephone
) -> None:
    path, other = "/voice/incoming", "https://evil.example"
    signature = RequestValidator(TOKEN).compute_signature(f"{other}{path}", CALLER)
    headers = {"X-Twilio-Signature": signature, "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert client.post(path, data=CALLER, headers=headers).status_code == 403
    assert telephone.done == []


def test_a_field_that_was_changed_is_refused(client: FlaskClient, telephone: FakeTelephone) -> None:
    signature = RequestValidator(TOKEN).compute_signature(f"{BASE}/voice/incoming", CALLER)
    form = CALLER | {"From": "+972509999999"}
    answer = client.post("/voice/incoming", data=form, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 403
    assert telephone.done == []


def test_a_call_that_comes_in_is_connected_with_a_token_of_its_own(client: FlaskClient) -> None:
    connect, redirect = verbs(post(client, "/voice/incoming"))
    (stream,) = connect.children
    assert twiml.stream_url(stream) == "wss://desk.example/voice/stream"
    assert twiml.stream_parameters(stream) == {"token": "secret"}
    assert state_of(redirect.text) == {}


@pytest.mark.parametrize("given", ["anonymous", "+266696687x", "Restricted", ""])
def test_a_number_that_is_withheld_is_none(client: FlaskClient, telephone: FakeTelephone, given: str) -> None:
    post(client, "/voice/incoming", From=given)
    assert telephone.done[0] == ("ring", "CA1", "+97231234567", "")


def test_a_number_that_nobody_has_is_not_in_service(client: FlaskClient) -> None:
    answer = post(client, "/voice/incoming", To="+15550000000")
    assert names(answer) == ["Say", "Hangup"]


def test_a_webhook_without_a_call_is_told_so(client: FlaskClient) -> None:
    assert post(client, "/voice/incoming", CallSid="").status_code == 400
    assert post(client, "/voice/turn", CallSid="CA9").status_code == 404


def test_a_business_may_let_its_own_telephone_ring_first(
    client: FlaskClient, telephone: FakeTelephone
) -> None:
    telephone.call = a_call(rings_first=True)
    (dial,) = verbs(post(client, "/voice/incoming"))
    path = urlsplit(dial.get("action"))
    answer = post(client, f"{path.path}?{path.query}", DialCallStatus="no-answer")
    assert names(answer) == ["Connect", "Redirect"]
    assert ("next", NextStep.ASK, line(Line.NOBODY_ANSWERED, "en")) not in telephone.done


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_transfer_that_nobody_takes_comes_back_to_the_desk(
    client: FlaskClient, telephone: FakeTelephone, status: str
) -> None:
    answer = post(client, "/voice/turn?turn=2", DialCallStatus=status)
    assert telephone.done[0] == ("next", NextStep.ASK, line(Line.NOBODY_ANSWERED, "en"))
    assert names(answer) == ["Connect", "Redirect"]
    assert state_of(verbs(answer)[1].text) == {"turn": "2"}


def test_out_of_office_hours_whom_nobody_answers_hears_when_the_team_is_back(
    client: FlaskClient, telephone: FakeTelephone
) -> None:
    telephone.call = a_call(office_hours="Su-Th 08:00-18:00")
    post(client, "/voice/turn?turn=2", DialCallStatus="no-answer")
    told = f"{line(Line.NOBODY_ANSWERED, 'en')} The team is back tomorrow at 08:00."
    assert telephone.done[0] == ("next", NextStep.ASK, told)
    telephone.call = a_call(office_hours="Su-Th 08:00-18:00", next_step=NextStep.TRANSFER, transfer_number="")
    assert says(post(client, "/voice/turn")) == f"{told} {line(Line.LEAVE_A_MESSAGE, 'en')}"


@pytest.mark.parametrize("status", ["completed", "answered"])
def test_after_a_talk_with_staff_the_call_is_over(client: FlaskClient, status: str) -> None:
    assert names(post(client, "/voice/turn", DialCallStatus=status)) == ["Hangup"]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (NextStep.ASK, ["Gather"]),
        (NextStep.TRANSFER, ["Say", "Dial"]),
        (NextStep.MESSAGE, ["Say", "Record", "Hangup"]),
        (NextStep.HANG_UP, ["Say", "Hangup"]),
    ],
)
def test_a_socket_that_was_closed_goes_on_as_was_decided(
    client: FlaskClient, telephone: FakeTelephone, step: NextStep, expected: list[str]
) -> None:
    telephone.call = a_call(next_step=step, to_say="So then.")
    answer = post(client, "/voice/turn")
    assert names(answer) == expected
    assert says(answer).startswith("So then.")


def test_a_socket_that_never_opened_leaves_the_greeting_to_be_said(
    client: FlaskClient, telephone: FakeTelephone
) -> None:
    assert says(post(client, "/voice/turn")) == greeting(telephone.call.tenant.settings, "en")


def test_without_a_number_to_put_through_to_a_message_is_taken(
    client: FlaskClient, telephone: FakeTelephone
) -> None:
    telephone.call = a_call(next_step=NextStep.TRANSFER, transfer_number="")
    answer = post(client, "/voice/turn")
    assert names(answer) == ["Say", "Record", "Hangup"]
    assert line(Line.NOBODY_ANSWERED, "en") in says(answer)


@pytest.mark.parametrize("reason", [{"mode": Mode.HUMAN}, {"ai_paused": True}], ids=["taken over", "paused"])
@pytest.mark.parametrize("form", [{}, {"SpeechResult": "When is breakfast?"}, {"Digits": "4729"}])
def test_what_is_not_for_the_desk_goes_to_staff_and_then_to_a_message(
    client: FlaskClient, telephone: FakeTelephone, reason: dict[str, Any], form: dict[str, str]
) -> None:
    telephone.call = a_call(**reason)
    assert names(post(client, "/voice/turn", **form)) == ["Say", "Dial"]
    telephone.call = a_call(**reason, to_say=line(Line.NOBODY_ANSWERED, "en"))
    assert names(post(client, "/voice/turn", **form)) == ["Say", "Record", "Hangup"]
    assert telephone.done == []


def test_words_are_answered_and_the_next_are_listened_for(
    client: FlaskClient, telephone: FakeTelephone
) -> None:
    answer = post(client, "/voice/turn?empty=1&turn=3", SpeechResult="When is breakfast?")
    assert telephone.done == [("answer", FALLBACK_TURNS + 3, "When is breakfast?")]
    assert says(answer) == "Breakfast is at seven."
    assert state_of(verbs(answer)[0].get("action")) == {"empty": "1", "turn": "4"}


def test_who_waits_for_a_slow_answer_is_told_so_until_it_is_there(
    client: FlaskClient, telephone: FakeTelephone
) -> None:
    telephone.late = 2
    answer = post(client, "/voice/turn?turn=3", SpeechResult="When is breakfast?")
    said = []
    while names(answer) == ["Say", "Redirect"]:
        said.append(says(answer))
        url = urlsplit(verbs(answer)[1].text)
        answer = post(client, f"{url.path}?{url.query}")
    assert said == [line(Line.ONE_MOMENT, "en"), line(Line.STILL_LOOKING, "en")]
    assert says(answer) == "Breakfast is at seven."
    assert state_of(verbs(answer)[0].get("action")) == {"empty": "1", "turn": "4"}
    assert [done[:2] for done in telephone.done] == [
        ("answer", FALLBACK_TURNS + 3),
        ("wait", FALLBACK_TURNS + 3),
        ("wait", FALLBACK_TURNS + 3),
    ]


def test_who_waits_is_told_so_in_their_own_language(client: FlaskClient, telephone: FakeTelephone) -> None:
    telephone.late = 1
    answer = post(client, "/voice/turn", SpeechResult="מתי ארוחת הבוקר?")
    assert says(answer) == line(Line.ONE_MOMENT, "he")


def test_a_person_who_was_waited_for_is_put_through_to(client: FlaskClient, telephone: FakeTelephone) -> None:
    telephone.reply = a_reply("I am getting somebody.", reason="asked_for_person")
    assert names(post(client, "/voice/turn?turn=1&wait=1")) == ["Say", "Dial"]


@pytest.mark.parametrize("wish", [{"reason": "asked_for_person"}, {"urgent": True}])
def test_who_asks_for_a_person_or_is_in_danger_is_put_through(
    client: FlaskClient, telephone: FakeTelephone, wish: dict[str, Any]
) -> None:
    telephone.reply = a_reply("I am getting somebody.", **wish)
    answer = post(client, "/voice/turn", SpeechResult="A person please")
    assert names(answer) == ["Say", "Dial"]
    assert says(answer) == "I am getting somebody."


def test_a_farewell_ends_the_call(client: FlaskClient, telephone: FakeTelephone) -> None:
    assert names(post(client, "/voice/turn", SpeechResult="Thanks, bye!")) == ["Say", "Hangup"]
    assert telephone.done == []


def test_who_is_not_heard_is_asked_twice_and_then_leaves_a_message(client: FlaskClient) -> None:
    first = post(client, "/voice/turn?empty=1&turn=5")
    assert says(first) == line(Line.NOT_HEARD, "en")
    # The number of the turn is not begun anew: it would take the place of one in the log.
    assert state_of(verbs(first)[0].get("action")) == {"empty": "2", "turn": "5"}
    second = post(client, "/voice/turn?empty=2&turn=5")
    assert state_of(verbs(second)[0].get("action")) == {"empty": "3", "turn": "5"}
    assert names(post(client, "/voice/turn?empty=3&turn=5")) == ["Say", "Record", "Hangup"]


def test_key_0_puts_through(client: FlaskClient) -> None:
    assert names(post(client, "/voice/turn", Digits="0")) == ["Say", "Dial"]


def test_other_keys_are_words(client: FlaskClient, telephone: FakeTelephone) -> None:
    answer = post(client, "/voice/turn?turn=3", Digits="4729")
    assert telephone.done == [("answer", FALLBACK_TURNS + 3, "4729")]
    assert says(answer) == "Breakfast is at seven."


def test_a_star_repeats_what_was_said_last(client: FlaskClient, telephone: FakeTelephone) -> None:
    history = (HistoryLine(Speaker.HOST, "At seven."), HistoryLine(Speaker.GUEST, "What?"))
    telephone.call = a_call(history=history)
    answer = post(client, "/voice/turn?turn=3", Digits="*")
    assert says(answer) == "At seven."
    assert state_of(verbs(answer)[0].get("action")) == {"empty": "1", "turn": "3"}
    telephone.call = a_call()
    assert says(post(client, "/voice/turn", Digits="*")) == line(Line.NOT_HEARD, "en")


def test_keys_are_taken_until_a_pause_or_the_last_key(client: FlaskClient) -> None:
    (gather,) = verbs(post(client, "/voice/turn"))
    assert (gather.get("finishOnKey"), gather.get("timeout"), gather.get("numDigits")) == ("#", "4", "")


def test_a_message_that_was_left_is_passed_on(client: FlaskClient, telephone: FakeTelephone) -> None:
    url = "https://api.twilio.com/recordings/RE1"
    answer = post(client, "/voice/turn", RecordingUrl=url, RecordingDuration="4", Digits="hangup")
    assert telephone.done == [("message", url)]
    assert says(answer) == line(Line.MESSAGE_TAKEN, "en")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"CallStatus": "completed", "CallDuration": "29"}, [("ended", "CA1", "completed", 29)]),
        ({"CallStatus": "no-answer"}, [("ended", "CA1", "no-answer", None)]),
        ({"CallStatus": "ringing"}, []),
    ],
)
def test_the_end_of_a_call_is_kept(
    client: FlaskClient, telephone: FakeTelephone, fields: dict[str, str], expected: list[tuple[Any, ...]]
) -> None:
    assert post(client, "/voice/status", **fields).status_code == 204
    assert telephone.done == expected

"""What Twilio is told is what Twilio understands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.channels import twiml
from simulators.twilio import twiml as simulated
from simulators.twilio.twiml import Verb

URL = "https://desk.example/voice/turn?empty=1&turn=2"


def verbs(document: str) -> list[Verb]:
    """As the network reads it, with nothing that it would warn of."""
    read = simulated.parse(document.encode(), URL)
    assert read.warnings == ()
    return list(read.verbs)


def test_a_stream_has_its_token_beside_the_address_and_a_way_on_behind_it() -> None:
    connect, redirect = verbs(twiml.stream("wss://desk.example/voice/stream", "secret", URL))
    (stream,) = connect.children
    assert simulated.stream_url(stream) == "wss://desk.example/voice/stream"
    assert simulated.stream_parameters(stream) == {"token": "secret"}
    assert redirect.text == URL


@pytest.mark.parametrize(("language", "code"), [("he", "he-IL"), ("en", "en-US"), ("ru", "en-US")])
def test_a_question_listens_in_the_language_that_it_is_said_in(language: str, code: str) -> None:
    (gather,) = verbs(twiml.ask("Hello?", language, URL))
    (say,) = gather.children
    assert (say.text, say.get("language"), gather.get("language")) == ("Hello?", code, code)
    assert gather.get("action") == URL
    assert gather.get("actionOnEmptyResult") == "true"
    assert set(gather.get("input").split()) == {"speech", "dtmf"}


def test_a_transfer_comes_back() -> None:
    say, dial = verbs(twiml.transfer("One moment.", "en", "+972500000000", "+97231234567", URL))
    assert say.text == "One moment."
    assert (dial.get("action"), dial.get("callerId")) == (URL, "+97231234567")
    assert [number.text for number in dial.children] == ["+972500000000"]


def test_a_message_is_recorded_after_what_is_said() -> None:
    said, record, hangup = verbs(twiml.take_message("Please leave a message.", "en", URL))
    assert (said.text, record.get("action"), hangup.name) == ("Please leave a message.", URL, "Hangup")


def test_the_end_needs_no_words() -> None:
    assert [verb.name for verb in verbs(twiml.end("", "en"))] == ["Hangup"]
    assert [verb.name for verb in verbs(twiml.end("Bye.", "en"))] == ["Say", "Hangup"]


@given(st.text(max_size=200))
def test_whatever_is_to_be_said_leaves_a_document_that_can_be_read(text: str) -> None:
    (gather,) = verbs(twiml.ask(text, "en", URL))
    assert all(say.text for say in gather.children)


def test_no_more_is_said_than_can_be() -> None:
    (gather,) = verbs(twiml.ask("word " * 2_000, "en", URL))
    assert len(gather.children[0].text) <= 4_096

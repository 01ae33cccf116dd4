"""TwiML: what runs, what is refused with which number, what the simulator says it cannot do."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.voice_response import Connect, Gather, VoiceResponse

from simulators.twilio import notices, twiml
from simulators.twilio.notices import CallFailure, SimulatorLimit

URL = "https://desk.example/voice/incoming?x=1"


def parse(inner: str) -> twiml.Document:
    return twiml.parse(f"<Response>{inner}</Response>".encode(), URL)


def refusal(body: str) -> CallFailure:
    with pytest.raises(CallFailure) as caught:
        twiml.parse(body.encode(), URL)
    return caught.value


def stream(attributes: str, inner: str = "") -> twiml.Verb:
    return parse(f"<Connect><Stream {attributes}>{inner}</Stream></Connect>").verbs[0].children[0]


def test_a_document_of_the_official_library_is_read() -> None:
    response = VoiceResponse()
    connect = Connect(action="/after")
    connect.stream(url="wss://desk.example/voice/stream").parameter(name="token", value="t")
    response.append(connect)
    gather = Gather(input="speech dtmf", action_on_empty_result=True)
    gather.say("שלום", language="he-IL")
    response.append(gather)
    response.redirect("/voice/turn")
    document = twiml.parse(str(response).encode(), URL)
    assert [verb.name for verb in document.verbs] == ["Connect", "Gather", "Redirect"]
    assert twiml.stream_parameters(document.verbs[0].children[0]) == {"token": "t"}
    assert document.verbs[1].get("actionOnEmptyResult") == "true"
    assert document.verbs[1].children[0].text == "שלום"
    assert document.warnings == ()


@pytest.mark.parametrize(
    "body", ["", "{}", "<Response>", "<Response><Say>a & b</Say></Response>", "<Say>hi</Say>"]
)
def test_what_is_no_document_cannot_be_parsed(body: str) -> None:
    assert refusal(body).code == notices.DOCUMENT_PARSE


def test_a_document_has_at_most_64_kibibytes() -> None:
    assert refusal(f"<Response>{' ' * 65536}</Response>").code == notices.DOCUMENT_SIZE


@pytest.mark.parametrize(
    "inner",
    ["<Speak>hi</Speak>", "<say>hi</say>", "<Gather><Dial>1</Dial></Gather>", "<Connect><Say/></Connect>"],
)
def test_a_verb_that_there_is_not_breaks_the_schema(inner: str) -> None:
    assert refusal(f"<Response>{inner}</Response>").code == notices.SCHEMA


def test_an_attribute_that_there_is_not_is_only_warned_of() -> None:
    document = parse('<Gather speed="fast"><Say lang="he">hi</Say></Gather>')
    assert sorted(document.warnings) == [
        "<Gather> has the unknown attribute speed",
        "<Say> has the unknown attribute lang",
    ]


@pytest.mark.parametrize(
    "inner", ["<Enqueue/>", "<Start/>", "<Dial><Conference/></Dial>", "<Say><break/></Say>"]
)
def test_what_twilio_alone_can_do_is_said_to_be_so(inner: str) -> None:
    with pytest.raises(SimulatorLimit):
        parse(inner)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ('url="ws://desk.example/s"', notices.STREAM_SCHEME),
        ('url="https://desk.example/s"', notices.STREAM_SCHEME),
        ('url="/voice/stream"', notices.STREAM_SCHEME),
        ("", notices.STREAM_SCHEME),
        ('url="wss://desk.example/s?token=1"', notices.STREAM_HANDSHAKE),
        ('url="wss://desk.example/s?"', notices.STREAM_HANDSHAKE),
        ('url="wss://desk.example/s" track="both_tracks"', notices.SCHEMA),
    ],
)
def test_a_stream_needs_a_plain_wss_url(attributes: str, code: int) -> None:
    with pytest.raises(CallFailure) as caught:
        twiml.stream_url(stream(attributes))
    assert caught.value.code == code


def test_a_parameter_has_at_most_500_characters_with_its_name() -> None:
    fits = stream('url="wss://a/s"', f'<Parameter name="name" value="{"v" * 496}"/>')
    assert len(twiml.stream_parameters(fits)["name"]) == 496
    for wrong in (f'<Parameter name="name" value="{"v" * 497}"/>', '<Parameter value="v"/>'):
        with pytest.raises(CallFailure) as caught:
            twiml.stream_parameters(stream('url="wss://a/s"', wrong))
        assert caught.value.code == notices.SCHEMA


def test_relative_urls_start_at_the_document() -> None:
    document = parse("")
    assert document.resolve("turn") == "https://desk.example/voice/turn"
    assert document.resolve("/turn?a=b") == "https://desk.example/turn?a=b"
    assert document.resolve("") == URL


PIECES = st.sampled_from(
    [
        "<Response>",
        "</Response>",
        "<Say>",
        "</Say>",
        "<Gather x='1'>",
        "</Gather>",
        "<!--",
        "-->",
        "<?x?>",
        "&amp;",
    ]
)


@given(st.lists(PIECES | st.text(max_size=3)).map("".join))
def test_no_document_breaks_the_parser(body: str) -> None:
    with suppress(CallFailure, SimulatorLimit):
        twiml.parse(body.encode(), URL)
    with suppress(CallFailure, SimulatorLimit):
        twiml.parse(f"<Response>{body}</Response>".encode(errors="replace"), URL)


@pytest.mark.parametrize("length", ["-1", "2.5", "", "many", "\u0663"])
def test_a_number_of_seconds_is_a_whole_number(length: str) -> None:
    verb = parse(f'<Pause length="{length}"/>').verbs[0]
    with pytest.raises(CallFailure):
        twiml.whole_number(verb, "length", 1)

"""TwiML documents: parsing and the checks that Twilio makes before it runs one; pure.

Source: the pages of the verbs under twilio.com/docs/voice/twiml. Unknown attributes are a warning and
ignored, as documented; an unknown verb or noun ends the document here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from simulators.twilio import notices
from simulators.twilio.notices import CallFailure, SimulatorLimit

LONGEST_PARAMETER = 500
LARGEST_DOCUMENT = 64 * 1024

_CALLBACK = frozenset({"statusCallback", "statusCallbackMethod", "statusCallbackEvent"})
_RECORDING = frozenset(
    {"recordingStatusCallback", "recordingStatusCallbackMethod", "recordingStatusCallbackEvent", "trim"}
)
_ACTION = frozenset({"action", "method"})
_SAY = frozenset({"voice", "language", "loop"})
_GATHER_NAMES = """
    input language speechModel speechTimeout timeout finishOnKey numDigits hints bargeIn actionOnEmptyResult
    profanityFilter enhanced partialResultCallback partialResultCallbackMethod debug maxSpeechTime
    dtmfDetection
"""
_DIAL_NAMES = """
    answerOnBridge callerId callReason hangupOnStar record recordingTrack referMethod referUrl ringTone
    sequential timeLimit timeout
"""

_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "Say": _SAY,
    "Play": frozenset({"loop", "digits"}),
    "Pause": frozenset({"length"}),
    "Gather": _ACTION | set(_GATHER_NAMES.split()),
    "Record": _ACTION
    | _RECORDING
    | {"timeout", "finishOnKey", "maxLength", "playBeep", "transcribe", "transcribeCallback"},
    "Dial": _ACTION | set(_DIAL_NAMES.split()) | _RECORDING,
    "Number": frozenset({"url", "method", "sendDigits", "byoc"}) | _CALLBACK,
    "Client": frozenset({"url", "method"}) | _CALLBACK,
    "Redirect": frozenset({"method"}),
    "Hangup": frozenset(),
    "Reject": frozenset({"reason"}),
    "Connect": _ACTION,
    "Stream": frozenset({"url", "name", "track", "connectorName", "statusCallback", "statusCallbackMethod"}),
    "Parameter": frozenset({"name", "value"}),
}
_CHILDREN: Mapping[str, frozenset[str]] = {
    "Response": frozenset(
        {"Say", "Play", "Pause", "Gather", "Record", "Dial", "Redirect", "Hangup", "Reject", "Connect"}
    ),
    "Gather": frozenset({"Say", "Play", "Pause"}),
    "Dial": frozenset({"Number", "Client"}),
    "Connect": frozenset({"Stream"}),
    "Stream": frozenset({"Parameter"}),
}
# Real, but not simulated: a test that needs one of these must hear about it.
_BEYOND_NAMES = """
    Start Stop Enqueue Leave Queue Sms Pay Prompt Refer Conference Sip Sim Siprec Recording Transcription
    ConversationRelay VirtualAgent Autopilot Room WhatsApp Application break emphasis lang p phoneme prosody s
    say-as sub w
"""
_BEYOND = frozenset(_BEYOND_NAMES.split())


@dataclass(frozen=True, slots=True)
class Verb:
    """An element: a verb or a noun within one."""

    name: str
    attributes: Mapping[str, str]
    text: str
    children: Sequence[Verb]

    def get(self, attribute: str, default: str = "") -> str:
        """An attribute's value."""
        return self.attributes.get(attribute, default)


@dataclass(frozen=True, slots=True)
class Document:
    """A document and where it came from: relative URLs in it start there."""

    url: str
    verbs: Sequence[Verb]
    warnings: Sequence[str] = ()

    def resolve(self, url: str) -> str:
        """An absolute URL; the document's own for an empty one."""
        return urljoin(self.url, url)


def parse(body: bytes, url: str) -> Document:
    """The document in *body*, checked.

    Raises:
        CallFailure: Twilio would not run it.
        SimulatorLimit: Twilio would, the simulator cannot.
    """
    if len(body) > LARGEST_DOCUMENT:
        raise CallFailure(notices.DOCUMENT_SIZE, f"{url} answered {len(body)} bytes, of {LARGEST_DOCUMENT}")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - of the very server under test
    except (ElementTree.ParseError, ValueError) as error:
        raise CallFailure(notices.DOCUMENT_PARSE, str(error)) from None
    if root.tag != "Response":
        raise CallFailure(notices.DOCUMENT_PARSE, f"the root element is <{root.tag}>, not <Response>")
    verbs = _children(root)
    return Document(url, verbs, tuple(_unknown_attributes(verbs)))


def stream_url(stream: Verb) -> str:
    """Where a ``<Stream>`` leads.

    Raises:
        CallFailure: Twilio connects to no such URL.
    """
    url = stream.get("url")
    parts = urlsplit(url)
    if parts.scheme != "wss" or not parts.hostname:
        raise CallFailure(notices.STREAM_SCHEME, f"the stream's url is {url!r}; wss alone is supported")
    if parts.query or "?" in url:
        detail = f"the stream's url {url!r} has a query string; use <Parameter>"
        raise CallFailure(notices.STREAM_HANDSHAKE, detail)
    if stream.get("track", "inbound_track") != "inbound_track":
        raise CallFailure(notices.SCHEMA, f"track={stream.get('track')!r} on a bidirectional stream")
    return url


def stream_parameters(stream: Verb) -> dict[str, str]:
    """What ``<Parameter>`` tells the server.

    Raises:
        CallFailure: a name is missing, or name and value together are longer than 500 characters.
    """
    told: dict[str, str] = {}
    for parameter in stream.children:
        name, value = parameter.get("name"), parameter.get("value")
        if not name:
            raise CallFailure(notices.SCHEMA, "<Parameter> without a name")
        if len(name) + len(value) > LONGEST_PARAMETER:
            detail = (
                f"<Parameter name={name!r}> has {len(name) + len(value)} characters, of {LONGEST_PARAMETER}"
            )
            raise CallFailure(notices.SCHEMA, detail)
        told[name] = value
    return told


def whole_number(verb: Verb, attribute: str, default: int) -> int:
    """A number of seconds, digits or times.

    Raises:
        CallFailure: it is none.
    """
    given = verb.get(attribute, str(default)).strip()
    if not given.isascii() or not given.isdecimal():
        raise CallFailure(notices.SCHEMA, f"<{verb.name} {attribute}={given!r}> is no whole number")
    return int(given)


def _children(parent: ElementTree.Element) -> tuple[Verb, ...]:
    allowed = _CHILDREN.get(parent.tag, frozenset())
    verbs: list[Verb] = []
    for element in parent:
        if element.tag in _BEYOND:
            raise SimulatorLimit(f"the simulator does not run <{element.tag}> in <{parent.tag}>")
        if element.tag not in allowed:
            raise CallFailure(notices.SCHEMA, f"<{element.tag}> is not allowed in <{parent.tag}>")
        text = (element.text or "").strip()
        verbs.append(Verb(element.tag, dict(element.attrib), text, _children(element)))
    return tuple(verbs)


def _unknown_attributes(verbs: Sequence[Verb]) -> Iterator[str]:
    for verb in verbs:
        for name in verb.attributes.keys() - _ATTRIBUTES[verb.name]:
            yield f"<{verb.name}> has the unknown attribute {name}"
        yield from _unknown_attributes(verb.children)

"""What Twilio is to do with a call."""

from __future__ import annotations

from twilio.twiml.voice_response import Connect, Dial, Gather, VoiceResponse

STREAM_PATH = "/voice/stream"
TURN_PATH = "/voice/turn"
INCOMING_PATH = "/voice/incoming"
STATUS_PATH = "/voice/status"
# The name of the stream's parameter that opens it.
PARAMETER = "token"
# Twilio's codes; its own recogniser and voices, which stand in where ours have failed.
_LANGUAGES = {"he": "he-IL", "en": "en-US"}
RING_S = 20
_LONGEST_MESSAGE_S = 120
_SPEECH_TIMEOUT_S = "1"
# Until a caller begins to speak, and after each key. Keys end at once with this one.
_PAUSE_S = 4
_LAST_KEY = "#"
_LONGEST_TEXT = 4_000


def stream(socket_url: str, token: str, turn_url: str) -> str:
    """Talk over a media socket, and sentence by sentence once that is closed."""
    response = VoiceResponse()
    connect = Connect()
    connect.stream(url=socket_url).parameter(name=PARAMETER, value=token)
    response.append(connect)
    response.redirect(turn_url, method="POST")
    return str(response)


def ask(text: str, language: str, turn_url: str) -> str:
    """Say *text* and hear what the caller says."""
    response = VoiceResponse()
    gather = Gather(
        input="speech dtmf",
        action=turn_url,
        method="POST",
        language=_code(language),
        speech_timeout=_SPEECH_TIMEOUT_S,
        timeout=_PAUSE_S,
        finish_on_key=_LAST_KEY,
        action_on_empty_result=True,
    )
    _say(gather, text, language)
    response.append(gather)
    return str(response)


def hold(text: str, language: str, turn_url: str) -> str:
    """Say *text*, and come back for the answer."""
    response = VoiceResponse()
    _say(response, text, language)
    response.redirect(turn_url, method="POST")
    return str(response)


def transfer(text: str, language: str, number: str, caller_id: str, turn_url: str) -> str:
    """Ring *number*, and come back if nobody takes the call."""
    response = VoiceResponse()
    _say(response, text, language)
    dial = Dial(action=turn_url, method="POST", timeout=RING_S, caller_id=caller_id, answer_on_bridge=True)
    dial.number(number)
    response.append(dial)
    return str(response)


def take_message(text: str, language: str, turn_url: str) -> str:
    """Say *text* and record what the caller leaves."""
    response = VoiceResponse()
    _say(response, text, language)
    response.record(action=turn_url, method="POST", max_length=_LONGEST_MESSAGE_S, play_beep=True)
    response.hangup()
    return str(response)


def end(text: str, language: str) -> str:
    """Say *text*, if there is any, and hang up."""
    response = VoiceResponse()
    _say(response, text, language)
    response.hangup()
    return str(response)


def _say(parent: VoiceResponse | Gather, text: str, language: str) -> None:
    # XML has no place for control characters, and Twilio says no more than so many at once.
    sayable = "".join(one if one.isprintable() else " " for one in text)[:_LONGEST_TEXT].strip()
    if sayable:
        parent.say(sayable, language=_code(language))


def _code(language: str) -> str:
    return _LANGUAGES.get(language, _LANGUAGES["en"])

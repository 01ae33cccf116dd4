"""The offline voice's routes, which the desk's own adapters ask; Piper and Whisper have a stand-in."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from offline_voice.app import HEARING_MODEL, SPEECH_MODEL, VOICE_NAME, NotAudio, Segment, make_app
from server.adapters.openai_speech_wire import form, transcript, wav

SPOKEN = {"model": SPEECH_MODEL, "voice": VOICE_NAME, "response_format": "pcm", "input": "Two beds. Please."}


class FakeEngine:
    """Says a sentence as its own letters; hears in a file what it was told, unless that is no WAV."""

    def __init__(self) -> None:
        self.heard: list[Segment] = []
        self.prompts: list[str] = []

    def speak(self, text: str) -> Iterator[bytes]:
        yield from (sentence.encode() for sentence in text.split(". "))

    def hear(self, recording: bytes, prompt: str) -> list[Segment]:
        if not recording.startswith(b"RIFF"):
            raise NotAudio
        self.prompts.append(prompt)
        return self.heard


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def client(engine: FakeEngine) -> FlaskClient:
    return make_app(engine).test_client()


def upload(client: FlaskClient, content: bytes = b"", **fields: str) -> Any:
    asked = form(HEARING_MODEL, ["en"], ["Sea View"]) | fields
    return client.post(
        "/v1/audio/transcriptions", data=asked | {"file": (io.BytesIO(content or wav(b"")), "u.wav")}
    )


def test_a_text_is_spoken_sentence_by_sentence(client: FlaskClient) -> None:
    answer = client.post("/v1/audio/speech", json=SPOKEN)
    assert (answer.status_code, answer.mimetype) == (200, "audio/pcm")
    assert answer.data == b"Two bedsPlease."


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": "tts-1"}, "model"),
        ({"voice": "alloy"}, "voice"),
        ({"response_format": "mp3"}, "response_format"),
        ({"input": " "}, "input"),
        ({"input": "x" * 4_097}, "input"),
        ({"input": 3}, "input"),
    ],
)
def test_what_cannot_be_spoken_is_refused(client: FlaskClient, changes: dict[str, Any], param: str) -> None:
    answer = client.post("/v1/audio/speech", json=SPOKEN | changes)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["param"] == param


def test_hebrew_is_refused_in_so_many_words(client: FlaskClient) -> None:
    spoken = client.post("/v1/audio/speech", json=SPOKEN | {"input": "Good day, שלום"})
    heard = upload(client, language="he")
    for answer in (spoken, heard):
        assert answer.status_code == 400
        assert "Hebrew is not supported offline" in answer.get_json()["error"]["message"]


def test_what_was_heard_is_told_as_the_desk_reads_it(client: FlaskClient, engine: FakeEngine) -> None:
    engine.heard = [Segment(" Two beds,", 0, 1, -0.2, 0.01), Segment(" please.", 1, 2, -0.2, 0.01)]
    told = transcript(upload(client).get_json(), ["en"])
    assert (told.text, told.language) == ("Two beds, please.", "en")
    assert 0.7 < told.confidence < 0.9
    assert engine.prompts == ["Sea View"]


def test_silence_has_no_words(client: FlaskClient) -> None:
    assert transcript(upload(client).get_json(), ["en"]).text == ""


def test_the_plain_form_of_the_answer_is_there_too(client: FlaskClient, engine: FakeEngine) -> None:
    engine.heard = [Segment(" Two beds.", 0, 1, -0.2, 0.01)]
    assert upload(client, response_format="json").get_json() == {"text": "Two beds."}


@pytest.mark.parametrize("changes", [{"model": "whisper-1"}, {"language": "fr"}, {"response_format": "srt"}])
def test_what_it_cannot_hear_is_refused(client: FlaskClient, changes: dict[str, str]) -> None:
    assert upload(client, b"", **changes).status_code == 400


def test_no_file_and_no_audio_are_refused(client: FlaskClient) -> None:
    assert upload(client, b"not a file of sound").status_code == 400
    missing = client.post("/v1/audio/transcriptions", data={"model": HEARING_MODEL})
    assert missing.get_json()["error"]["param"] == "file"


def test_more_than_a_call_ever_sends_is_refused(client: FlaskClient) -> None:
    kind = "multipart/form-data; boundary=x"
    answer = client.post("/v1/audio/transcriptions", data=bytes(5 * 1024 * 1024), content_type=kind)
    assert answer.status_code == 413


def test_a_body_that_is_no_json_is_refused(client: FlaskClient) -> None:
    answer = client.post("/v1/audio/speech", data=b"{", content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["message"]


def test_its_models_are_listed_for_who_warms_up(client: FlaskClient) -> None:
    rows = client.get("/v1/models").get_json()["data"]
    assert {row["id"] for row in rows} == {SPEECH_MODEL, HEARING_MODEL}

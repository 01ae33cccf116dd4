"""Which providers hear and speak follows from the settings, and the offline voice is one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offline_voice.app import HEARING_MODEL, SPEECH_MODEL, VOICE_NAME
from server.adapters.google_speech import GoogleSpeech
from server.adapters.openai_clients import OpenAIClients
from server.adapters.openai_speech import OpenAISpeech
from server.adapters.second_ears import SecondEars
from server.commands.offline_voice import command, environment
from server.errors import CommandError
from server.settings import Settings
from server.wiring import make_speech

GOOGLE = {"google_speech_endpoint": "127.0.0.1:50551"}
SECOND = {"speech_fallback_base_url": "http://127.0.0.1:5070/v1"}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's environment nor its .env is read."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def ears(**settings: Any) -> object:
    phone: dict[str, Any] = {"twilio_auth_token": "t" * 32, "public_base_url": "https://desk.example"}
    speech = make_speech(Settings(**phone, **settings), OpenAIClients())
    assert speech is not None
    return speech.to_text


def test_without_a_second_provider_there_is_google() -> None:
    assert isinstance(ears(), GoogleSpeech)


@pytest.mark.parametrize("second", [SECOND, {"speech_fallback_api_key": "sk-one"}])
def test_a_second_provider_stands_behind_google(second: dict[str, str]) -> None:
    assert isinstance(ears(**GOOGLE, **second), SecondEars)


def test_without_a_key_to_google_the_second_provider_is_the_only_one() -> None:
    assert isinstance(ears(**SECOND), OpenAISpeech)


def test_the_offline_voice_is_the_second_provider_in_english() -> None:
    told = environment(Settings(offline_voice=True, offline_voice_port=5_099))
    values: dict[str, Any] = {name.lower(): value for name, value in told.items()}
    settings = Settings(**values)
    assert settings.speech_fallback_base_url == "http://127.0.0.1:5099/v1"
    assert settings.speech_fallback_spoken == ("en",)
    models = (settings.speech_fallback_stt_model, settings.speech_fallback_tts_model)
    assert (*models, settings.speech_fallback_voice) == (HEARING_MODEL, SPEECH_MODEL, VOICE_NAME)


def test_without_the_offline_voice_its_settings_are_left_alone() -> None:
    assert environment(Settings()) == {}


def test_an_offline_voice_that_is_not_installed_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="scripts/setup --offline-voice"):
        command(tmp_path, 5070)


def test_the_offline_voice_is_run_by_its_own_python(tmp_path: Path) -> None:
    python = tmp_path / ".venv-offline-voice" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert command(tmp_path, 5099) == ".venv-offline-voice/bin/python -m offline_voice --port 5099"

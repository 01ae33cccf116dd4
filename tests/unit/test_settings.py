"""Settings are checked at the start, all at once, and secrets do not show."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.errors import SettingsError
from server.settings import Settings, read_settings

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's environment nor its .env is read."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_nothing_need_be_set() -> None:
    settings = read_settings()
    assert settings.database == "sqlite:///var/frontdesk.db"
    assert settings.sidecar_url == "http://127.0.0.1:3300"
    assert not settings.has_model


def test_what_is_offered_is_less_sure_than_what_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWER_THRESHOLD", "0.3")
    assert read_settings().offer_threshold == 0.1
    monkeypatch.setenv("OFFER_THRESHOLD", "0.4")
    with pytest.raises(SettingsError, match=r"OFFER_THRESHOLD: .*must not be above ANSWER_THRESHOLD"):
        read_settings()


def test_an_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=5001\n", encoding="ascii")
    assert read_settings().port == 5001


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    monkeypatch.setenv("WHATSAPP_URL", "localhost:3300")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as raised:
        read_settings()
    for name in ("PORT", "WHATSAPP_URL", "LOG_LEVEL"):
        assert name in str(raised.value)


def test_a_fault_does_not_show_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", KEY)
    with pytest.raises(SettingsError) as raised:
        read_settings()
    assert KEY not in str(raised.value)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "INTERNAL_SECRET", "DATABASE_URL"):
        monkeypatch.setenv(name, KEY)
    assert KEY not in repr(read_settings())


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1/")
    settings = read_settings()
    assert settings.has_model
    assert settings.openai_base_url == "http://127.0.0.1:11434/v1"


@pytest.mark.parametrize("key", ["secret", "AAAA", "A" * 43, "=" * 44])
def test_a_key_that_is_none_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("RECORDINGS_KEY", key)
    with pytest.raises(SettingsError, match=r"RECORDINGS_KEY: .*openssl rand -base64 32") as raised:
        read_settings()
    assert f" {key}" not in str(raised.value)


def test_a_key_is_read_from_base64(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().recordings_key_bytes is None
    monkeypatch.setenv("RECORDINGS_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    assert read_settings().recordings_key_bytes == bytes(range(32))

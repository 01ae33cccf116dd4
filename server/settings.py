"""The installation's settings: read once from the environment, passed down, never looked up."""

from __future__ import annotations

import binascii
from enum import StrEnum
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.errors import SettingsError

RECORDINGS_KEY_BYTES = 32


class Optimisation(StrEnum):
    """What `OPTIMISATIONS_OFF` may name, so that its worth can be measured."""

    POOLING = "pooling"
    ANSWER_CACHE = "answer_cache"
    PROMPT_CACHE = "prompt_cache"
    EMBEDDING_CACHE = "embedding_cache"
    PARALLEL_CONTEXT = "parallel_context"
    EARLY_EXITS = "early_exits"
    HEDGING = "hedging"
    WARM_UP = "warm_up"


class ProviderSettings(BaseModel):
    """One more server that speaks OpenAI's chat completions, with its ``/v1``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    api_key: SecretStr | None = None

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        return _http_url(value)


class ProfileSettings(BaseModel):
    """How one model is asked, where it differs from the rest. Prices are US dollars a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: int | None = Field(default=None, ge=1, le=32_768)
    temperature: float | None = Field(default=None, ge=0, le=2)
    first_token_s: float | None = Field(default=None, gt=0, le=60)
    total_s: float | None = Field(default=None, gt=0, le=120)
    stop: tuple[str, ...] = ()
    prompt_price: float | None = Field(default=None, ge=0)
    completion_price: float | None = Field(default=None, ge=0)


class Settings(BaseSettings):
    """Names in the environment are those of the fields, in capitals. See docs/operations.md."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    data_dir: Path = Path("var")
    database_url: SecretStr | None = None
    internal_secret: SecretStr | None = None
    web_host: str = "0.0.0.0"  # noqa: S104 - the web process is the public one
    port: int = Field(default=5000, ge=0, le=65535)
    whatsapp_port: int = Field(default=3300, ge=0, le=65535)
    public_base_url: str = ""
    whatsapp_url: str = ""
    log_level: Literal["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"] = "INFO"

    whatsapp_alert_after_s: float = Field(default=120, ge=0, le=86400)
    # Twilio's account of the phone line. Without the token no call is taken.
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr | None = None
    # host:port; plain text and no key on a loopback address.
    google_speech_endpoint: str = "speech.googleapis.com:443"
    google_tts_endpoint: str = "texttospeech.googleapis.com:443"
    google_application_credentials: Path | None = None
    google_speech_version: Literal["v1", "v2"] = "v1"
    google_speech_codes: dict[str, str] = Field(default_factory=lambda: {"he": "iw-IL", "en": "en-US"})
    google_speech_models: dict[str, str] = Field(default_factory=lambda: {"en": "telephony"})
    # Of version 1 empty lets Google choose.
    google_speech_fallback_model: str = ""
    # Of version 2; empty takes the key file's. The endpoint must be of the same location.
    google_project: str = ""
    google_speech_location: str = "global"
    google_tts_voices: dict[str, str] = Field(
        default_factory=lambda: {"he": "he-IL-Chirp3-HD-Aoede", "en": "en-US-Chirp3-HD-Aoede"}
    )
    google_tts_speaking_rate: float = Field(default=1, ge=0.25, le=2)
    # A second provider of hearing and speaking, or the only one: any server that speaks OpenAI's audio API.
    speech_fallback_base_url: str = ""
    speech_fallback_api_key: SecretStr | None = None
    speech_fallback_stt_model: str = "gpt-transcribe"
    speech_fallback_tts_model: str = "gpt-4o-mini-tts"
    speech_fallback_voice: str = "alloy"
    # Those that its models understand and speak.
    speech_fallback_languages: str = "he,en"
    # `frontdesk run` starts the offline voice too, and it is that second provider.
    offline_voice: bool = False
    offline_voice_port: int = Field(default=5070, ge=0, le=65535)
    # What guests sent beside words is deleted after so long.
    media_kept_days: float = Field(default=30, gt=0, le=3650)
    # 32 bytes in base64; empty: a key of the data folder's.
    recordings_key: SecretStr | None = None
    recordings_kept_days: float = Field(default=30, gt=0, le=3650)
    # More than a realtime process can keep up with go on by Twilio's own means, sentence by sentence.
    calls_at_once: int = Field(default=15, ge=1, le=1000)
    # A process that stops lets its calls go on for so long.
    call_drain_s: float = Field(default=120, ge=0, le=3600)

    resend_api_key: SecretStr | None = None
    resend_base_url: str = "https://api.resend.com"
    mail_from: str = ""

    openai_api_key: SecretStr | None = None
    openai_base_url: str = ""
    ai_model: str = "gpt-4o-mini"
    ai_timeout_s: float = Field(default=3.5, gt=0, le=60)
    ai_total_s: float = Field(default=8, gt=0, le=120)
    ai_max_tokens: int = Field(default=220, ge=1, le=4096)
    ai_temperature: float = Field(default=0.2, ge=0, le=2)
    ai_context_messages: int = Field(default=4, ge=0, le=50)
    # Models to go on with, in this order: MODEL, or PROVIDER:MODEL with a provider of AI_PROVIDERS.
    ai_fallback_models: str = ""
    # Taken in place of AI_MODEL once 80 % of a day's budget are spent; empty: the cheapest of all.
    ai_cheap_model: str = ""
    ai_providers: dict[str, ProviderSettings] = Field(default_factory=dict)
    ai_profiles: dict[str, ProfileSettings] = Field(default_factory=dict)
    # Of each provider key; 0: what the provider tells of its limits with its answers.
    ai_requests_per_minute: float = Field(default=0, ge=0)
    ai_tokens_per_minute: float = Field(default=0, ge=0)
    optimisations_off: str = ""
    redis_url: SecretStr | None = None
    answer_cache_s: float = Field(default=900, ge=0, le=86400)
    answer_cache_size: int = Field(default=2000, ge=1, le=1_000_000)
    precomputed_questions: int = Field(default=20, ge=0, le=500)
    api_calls_per_minute: int = Field(default=6000, ge=0)
    # A chat call keeps one until its reply is there.
    web_threads: int = Field(default=64, ge=8, le=512)
    realtime_host: str = "0.0.0.0"  # noqa: S104 - reached from outside, as the web process is
    realtime_port: int = Field(default=5050, ge=0, le=65535)
    operator_webhook: str = ""
    alert_reply_s: float = Field(default=10, gt=0)
    answer_threshold: float = Field(default=0.55, ge=0, le=1)
    offer_threshold: float = Field(default=0.1, ge=0, le=1)
    turn_concurrency: int = Field(default=32, ge=1, le=512)
    turn_engine: Literal["", "in-process", "procrastinate"] = ""
    worker_max_turns: int = Field(default=0, ge=0)
    worker_max_hours: float = Field(default=0, ge=0)
    worker_max_mb: int = Field(default=0, ge=0)
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    turn_wait_min_s: float = Field(default=0.2, ge=0, le=5)
    turn_wait_max_s: float = Field(default=0.8, ge=0, le=10)
    lease_s: float = Field(default=8, ge=1, le=120)
    stale_after_h: float = Field(default=12, gt=0, le=24 * 30)

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator(
        "whatsapp_url",
        "openai_base_url",
        "speech_fallback_base_url",
        "public_base_url",
        "resend_base_url",
        "operator_webhook",
    )
    @classmethod
    def _is_http(cls, value: str) -> str:
        return _http_url(value) if value else value

    @field_validator("recordings_key")
    @classmethod
    def _is_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(_from_base64(value.get_secret_value())) != RECORDINGS_KEY_BYTES:
            raise ValueError("must be 32 random bytes in base64: `openssl rand -base64 32` makes them")
        return value

    @field_validator("optimisations_off")
    @classmethod
    def _are_optimisations(cls, value: str) -> str:
        known = [str(name) for name in Optimisation]
        unknown = [name for name in _names(value) if name not in known]
        if unknown:
            raise ValueError(f"there is no {', '.join(unknown)}; known are {', '.join(known)}")
        return value

    def uses(self, optimisation: Optimisation) -> bool:
        """Whether *optimisation* is not switched off."""
        return optimisation not in _names(self.optimisations_off)

    @property
    def database(self) -> str:
        """The database's URL; SQLite in the data folder unless one is set."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'frontdesk.db'}"

    @field_validator("turn_engine")
    @classmethod
    def _engine_fits_database(cls, value: str, info: ValidationInfo) -> str:
        url = info.data.get("database_url")
        if value == "procrastinate" and (url is None or url.get_secret_value().startswith("sqlite")):
            raise ValueError("procrastinate needs PostgreSQL: set DATABASE_URL, or leave this empty")
        return value

    @field_validator("offer_threshold")
    @classmethod
    def _is_offered_before_answered(cls, value: float, info: ValidationInfo) -> float:
        if value > info.data.get("answer_threshold", 1):
            raise ValueError("must not be above ANSWER_THRESHOLD: what is less sure is offered")
        return value

    @property
    def redis(self) -> str | None:
        """The URL of a Redis that processes share; None where there is none."""
        return None if self.redis_url is None else self.redis_url.get_secret_value()

    @property
    def recordings_key_bytes(self) -> bytes | None:
        """What recordings are sealed with; None where the data folder has it."""
        return None if self.recordings_key is None else _from_base64(self.recordings_key.get_secret_value())

    @property
    def keeps_answers(self) -> bool:
        """Whether an answer is given again to who asks the same."""
        return self.answer_cache_s > 0 and self.uses(Optimisation.ANSWER_CACHE)

    @property
    def has_workers(self) -> bool:
        """Whether workers take the turns, rather than whichever process received the messages."""
        return self.turn_engine != "in-process" and not self.database.startswith("sqlite")

    @property
    def sidecar_url(self) -> str:
        """Where Flask finds the sidecar."""
        return self.whatsapp_url or f"http://127.0.0.1:{self.whatsapp_port}"

    @property
    def console_url(self) -> str:
        """Where staff open the console, without its path."""
        return self.public_base_url or f"http://localhost:{self.port}"

    @property
    def stream_port(self) -> int | None:
        """Where browsers find the realtime process; None: a proxy leads to it by the console's address."""
        return None if self.public_base_url or self.trusted_proxies else self.realtime_port

    @property
    def has_phone(self) -> bool:
        """Whether calls are taken: Twilio's token, and the address at which it reaches us."""
        return self.twilio_auth_token is not None and bool(self.public_base_url)

    @property
    def has_speech_fallback(self) -> bool:
        """Whether there is a second provider of hearing and speaking: a key, or a server of one's own."""
        return self.speech_fallback_api_key is not None or bool(self.speech_fallback_base_url)

    @property
    def speech_fallback_spoken(self) -> tuple[str, ...]:
        """The languages of the second provider."""
        return tuple(_names(self.speech_fallback_languages))

    @property
    def has_model(self) -> bool:
        """Whether a language model is configured: a key, or a server of one's own."""
        return self.openai_api_key is not None or bool(self.openai_base_url)


def _from_base64(value: str) -> bytes:
    """The bytes; none where it is no base64."""
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        return b""


def _http_url(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
        raise ValueError("must be a URL such as http://127.0.0.1:3300")
    return value.rstrip("/")


def _names(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


def read_settings() -> Settings:
    """Read the environment and, in development, ``.env``.

    Raises:
        SettingsError: naming every fault at once.
    """
    try:
        return Settings()
    except ValidationError as error:
        # Values are left out: one of them may be a secret in the wrong place.
        faults = [f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError("settings: " + "; ".join(faults)) from None

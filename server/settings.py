"""The installation's settings: read once from the environment, passed down, never looked up."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.errors import SettingsError


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

    @field_validator("whatsapp_url", "openai_base_url", "public_base_url", "resend_base_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("must be a URL such as http://127.0.0.1:3300")
        return value.rstrip("/")

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
    def has_model(self) -> bool:
        """Whether a language model is configured: a key, or a server of one's own."""
        return self.openai_api_key is not None or bool(self.openai_base_url)


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

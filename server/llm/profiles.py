"""The models that the settings name, and how each is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.errors import SettingsError
from server.llm.prices import Price, price_of
from server.settings import ProfileSettings, Settings

# What OPENAI_BASE_URL and OPENAI_API_KEY set, whoever answers there.
DEFAULT_PROVIDER = "openai"

# Models that think before they speak: they take `max_completion_tokens` in place of `max_tokens`, and no
# temperature but their own. Source: OpenAI's API reference for chat completions and its guide to reasoning.
_REASONING = re.compile(r"^(?:openai/)?(?:o\d|gpt-[5-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """One model of one provider, and how it is asked.

    ``first_token_s`` and ``total_s`` limit one call; None leaves it to the request. ``temperature`` is None
    where the model takes none.
    """

    provider: str
    model: str
    max_tokens: int
    temperature: float | None
    first_token_s: float | None
    total_s: float | None
    stop: tuple[str, ...]
    price: Price
    is_reasoning: bool

    @property
    def name(self) -> str:
        """Provider and model, as figures show them."""
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True, slots=True)
class Profiles:
    """``usual`` are tried in this order; ``cheap`` is for when the day's money runs out."""

    usual: Sequence[ModelProfile]
    cheap: ModelProfile


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider listens; ``base_url`` is None for OpenAI's own."""

    base_url: str | None
    api_key: str = field(repr=False)


def read_profiles(settings: Settings) -> Profiles:
    """The models of `AI_MODEL`, `AI_FALLBACK_MODELS` and `AI_CHEAP_MODEL`; one named twice counts once.

    Raises:
        SettingsError: they do not fit together; the message says what to change.
    """
    if DEFAULT_PROVIDER in settings.ai_providers:
        raise SettingsError(
            f"settings: AI_PROVIDERS: {DEFAULT_PROVIDER} is the name of what OPENAI_BASE_URL and "
            "OPENAI_API_KEY set; choose another name"
        )
    specs = [settings.ai_model, *settings.ai_fallback_models.split(",")]
    usual = [_profile(settings, spec) for spec in dict.fromkeys(spec.strip() for spec in specs) if spec]
    if not usual:
        raise SettingsError("settings: AI_MODEL: name a model, such as gpt-4o-mini")
    _check_profiles_used(settings, usual)
    return Profiles(tuple(usual), _cheap(settings, usual))


def read_endpoint(settings: Settings, provider: str) -> Endpoint:
    """Where *provider* of a profile listens, and the key for it."""
    if provider == DEFAULT_PROVIDER:
        base_url, key = settings.openai_base_url or None, settings.openai_api_key
    else:
        base_url, key = settings.ai_providers[provider].base_url, settings.ai_providers[provider].api_key
    # A server of one's own may ask for no key; the SDK wants some text.
    return Endpoint(base_url, "none" if key is None else key.get_secret_value())


def _cheap(settings: Settings, usual: Sequence[ModelProfile]) -> ModelProfile:
    if settings.ai_cheap_model.strip():
        return _profile(settings, settings.ai_cheap_model.strip())
    # An unknown price is no low one.
    known = [profile for profile in usual if profile.price.completion] or usual
    return min(known, key=lambda profile: (profile.price.completion, profile.price.prompt))


def _check_profiles_used(settings: Settings, usual: Sequence[ModelProfile]) -> None:
    named = {profile.model for profile in usual} | {profile.name for profile in usual}
    if settings.ai_cheap_model.strip():
        cheap = _profile(settings, settings.ai_cheap_model.strip())
        named |= {cheap.model, cheap.name}
    unused = sorted(settings.ai_profiles.keys() - named)
    if unused:
        raise SettingsError(
            f"settings: AI_PROFILES: no model is called {', '.join(unused)}; the models in use are "
            f"{', '.join(sorted(named))}"
        )


def _profile(settings: Settings, spec: str) -> ModelProfile:
    provider, model = _split(settings, spec)
    own = (
        settings.ai_profiles.get(f"{provider}:{model}")
        or settings.ai_profiles.get(model)
        or ProfileSettings()
    )
    is_reasoning = _REASONING.match(model) is not None
    usual_temperature = None if is_reasoning else settings.ai_temperature
    return ModelProfile(
        provider=provider,
        model=model,
        max_tokens=settings.ai_max_tokens if own.max_tokens is None else own.max_tokens,
        temperature=usual_temperature if own.temperature is None else own.temperature,
        first_token_s=own.first_token_s,
        total_s=own.total_s,
        stop=own.stop,
        price=_price(model, own),
        is_reasoning=is_reasoning,
    )


def _split(settings: Settings, spec: str) -> tuple[str, str]:
    """Provider and model of *spec*. A colon may belong to the model's name, as Ollama's do."""
    provider, colon, model = spec.partition(":")
    if not colon or (provider != DEFAULT_PROVIDER and provider not in settings.ai_providers):
        return DEFAULT_PROVIDER, spec
    if not model.strip():
        raise SettingsError(f"settings: AI_MODEL: {spec} names a provider and no model")
    return provider, model.strip()


def _price(model: str, own: ProfileSettings) -> Price:
    known = price_of(model)
    prompt = known.prompt if own.prompt_price is None else own.prompt_price
    return Price(
        prompt=prompt,
        # What is said to differ from the list has no discount that we know of.
        cached=known.cached if own.prompt_price is None else prompt,
        completion=known.completion if own.completion_price is None else own.completion_price,
    )

"""Settings name models, and how each is asked; what does not fit together is told before any guest waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.errors import SettingsError
from server.llm.prices import FREE, PRICES, Price, cost_micros, price_of
from server.llm.profiles import DEFAULT_PROVIDER, Endpoint, read_endpoint, read_profiles
from server.ports.ai import Usage
from server.settings import Settings
from tests.support.models import a_profile

OLLAMA = {"local": {"base_url": "http://127.0.0.1:11434/v1"}}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's environment nor its .env is read."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def settings(**values: Any) -> Settings:
    return Settings(**values)


def names(**values: Any) -> list[str]:
    return [profile.name for profile in read_profiles(settings(**values)).usual]


def test_without_settings_there_is_one_model() -> None:
    assert names() == ["openai:gpt-4o-mini"]


def test_fallback_models_come_in_their_order_and_once() -> None:
    assert names(ai_model="gpt-4o", ai_fallback_models="gpt-4.1-mini, gpt-4o ,,gpt-4o-mini") == [
        "openai:gpt-4o",
        "openai:gpt-4.1-mini",
        "openai:gpt-4o-mini",
    ]


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("local:llama3.2", "local:llama3.2"),
        ("local:llama3.2:3b", "local:llama3.2:3b"),
        ("llama3.2:3b", "openai:llama3.2:3b"),
        ("openai:gpt-4o", "openai:gpt-4o"),
        ("openai/gpt-4o", "openai:openai/gpt-4o"),
    ],
)
def test_only_the_name_of_a_provider_before_a_colon_is_one(spec: str, name: str) -> None:
    assert names(ai_model=spec, ai_providers=OLLAMA) == [name]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"ai_model": "local:", "ai_providers": OLLAMA}, "local: names a provider and no model"),
        ({"ai_model": " "}, "AI_MODEL: name a model"),
        ({"ai_providers": {"openai": {"base_url": "http://a.example"}}}, "choose another name"),
        ({"ai_profiles": {"gpt-9": {"max_tokens": 5}}}, "no model is called gpt-9"),
    ],
)
def test_what_does_not_fit_together_is_told(values: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        read_profiles(settings(**values))


def test_a_profile_overrides_what_holds_for_all() -> None:
    own = {"max_tokens": 5, "temperature": 1, "first_token_s": 9, "total_s": 20, "stop": ["\n"]}
    profile, other = read_profiles(
        settings(ai_fallback_models="gpt-4o", ai_profiles={"gpt-4o-mini": own})
    ).usual
    assert (profile.max_tokens, profile.temperature, profile.stop) == (5, 1, ("\n",))
    assert (profile.first_token_s, profile.total_s) == (9, 20)
    assert (other.max_tokens, other.temperature, other.stop) == (220, 0.2, ())
    assert (other.first_token_s, other.total_s) == (None, None)


def test_a_profile_may_be_of_one_provider() -> None:
    values: dict[str, Any] = {"ai_model": "m", "ai_fallback_models": "local:m", "ai_providers": OLLAMA}
    first, second = read_profiles(settings(**values, ai_profiles={"local:m": {"max_tokens": 5}})).usual
    assert (first.max_tokens, second.max_tokens) == (220, 5)


@pytest.mark.parametrize(
    ("model", "is_reasoning"),
    [("gpt-5-mini", True), ("o4-mini", True), ("openai/gpt-5", True), ("gpt-4o", False), ("olmo-2", False)],
)
def test_reasoning_models_take_no_temperature(model: str, is_reasoning: bool) -> None:
    (profile,) = read_profiles(settings(ai_model=model)).usual
    assert profile.is_reasoning is is_reasoning
    assert (profile.temperature is None) is is_reasoning


def test_the_cheap_model_is_the_one_that_is_named_or_the_cheapest_with_a_price() -> None:
    usual = {"ai_model": "gpt-4o", "ai_fallback_models": "gpt-4.1-nano,who-knows,gpt-4o-mini"}
    assert read_profiles(settings(**usual)).cheap.model == "gpt-4.1-nano"
    assert read_profiles(settings(**usual, ai_cheap_model="gpt-5-nano")).cheap.model == "gpt-5-nano"
    assert read_profiles(settings(ai_model="who-knows")).cheap.model == "who-knows"


def test_each_provider_has_its_address_and_key() -> None:
    providers = {**OLLAMA, "router": {"base_url": "https://r.example/v1/", "api_key": "sk-r"}}
    read = settings(openai_api_key="sk-o", ai_providers=providers)
    assert read_endpoint(read, DEFAULT_PROVIDER) == Endpoint(None, "sk-o")
    assert read_endpoint(read, "local") == Endpoint("http://127.0.0.1:11434/v1", "none")
    assert read_endpoint(read, "router") == Endpoint("https://r.example/v1", "sk-r")


def test_an_endpoint_does_not_show_its_key() -> None:
    assert "sk-o" not in repr(Endpoint(None, "sk-o"))


# Prices.


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini"])
def test_a_model_is_known_by_its_snapshots_and_makers(model: str) -> None:
    assert price_of(model) == PRICES["gpt-4o-mini"]


def test_an_unknown_model_costs_nothing_until_its_price_is_set() -> None:
    assert price_of("who-knows") == FREE
    own = {"who-knows": {"prompt_price": 3, "completion_price": 5}}
    (profile,) = read_profiles(settings(ai_model="who-knows", ai_profiles=own)).usual
    assert profile.price == Price(3, 3, 5)


def test_cost_is_in_millionths_of_a_dollar() -> None:
    profile = a_profile(price=PRICES["gpt-4o-mini"])
    assert cost_micros(profile, Usage(1_000_000, 1_000_000)) == 750_000
    assert cost_micros(profile, Usage(1_000_000, 0, cached_tokens=1_000_000)) == 75_000
    # No server's figures make a call cost less than nothing.
    assert cost_micros(profile, Usage(100, 0, cached_tokens=1000)) == 8


def test_cached_tokens_are_never_dearer() -> None:
    assert all(price.cached <= price.prompt <= price.completion for price in PRICES.values())

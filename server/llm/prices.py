"""What models cost, in US dollars for a million tokens.

Source: https://developers.openai.com/api/docs/pricing (standard processing), as several public price lists
repeat it, compared on 2026-11-21. Prices change: `AI_PROFILES` overrides them, and has those of other models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from server.ports.ai import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a million tokens; ``cached`` is for those of the prompt that the provider had kept."""

    prompt: float
    cached: float
    completion: float


FREE = Price(0, 0, 0)

PRICES = {
    "gpt-4o": Price(2.50, 1.25, 10.00),
    "gpt-4o-mini": Price(0.15, 0.075, 0.60),
    "gpt-4.1": Price(2.00, 0.50, 8.00),
    "gpt-4.1-mini": Price(0.40, 0.10, 1.60),
    "gpt-4.1-nano": Price(0.10, 0.025, 0.40),
    "o4-mini": Price(1.10, 0.275, 4.40),
    "gpt-5": Price(1.25, 0.125, 10.00),
    "gpt-5-mini": Price(0.25, 0.025, 2.00),
    "gpt-5-nano": Price(0.05, 0.005, 0.40),
    "gpt-5.1": Price(1.25, 0.125, 10.00),
    "gpt-5.2": Price(1.75, 0.175, 14.00),
    "gpt-5.4": Price(2.50, 0.25, 15.00),
    "gpt-5.4-mini": Price(0.75, 0.075, 4.50),
    "gpt-5.4-nano": Price(0.20, 0.02, 1.25),
}

# A snapshot such as gpt-4o-mini-2024-07-18 costs what its model does.
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
# OpenRouter puts the maker before the name.
_MAKER = "openai/"


class Priced(Protocol):
    """A model as far as its price is concerned."""

    @property
    def price(self) -> Price: ...


def price_of(model: str) -> Price:
    """What *model* costs; nothing where that is not known."""
    return PRICES.get(_SNAPSHOT.sub("", model.removeprefix(_MAKER)), FREE)


def cost_micros(priced: Priced, usage: Usage) -> int:
    """What *usage* costs, in millionths of a US dollar, rounded to the nearest."""
    price = priced.price
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    fresh = usage.prompt_tokens - cached
    # Dollars a million tokens are millionths of a dollar a token.
    return round(fresh * price.prompt + cached * price.cached + usage.completion_tokens * price.completion)

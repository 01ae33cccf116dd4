"""What guests of the chat API get while the model goes wrong, or may not be asked as often as they ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.asking import Heard, ask_all
from bench.chat_desk import PACE
from bench.chat_load import Setting, fresh_asks, running_desk
from bench.figures import Figure
from bench.internals import internals
from bench.samples import percentiles

HANG_SHARE = 0.05
FAULTS = {
    "hang_headers": HANG_SHARE / 3,
    "hang_first_token": HANG_SHARE / 3,
    "hang_mid_stream": HANG_SHARE / 3,
    "error_500": 0.05,
    "error_429": 0.05,
    "cut": 0.02,
}
TOTAL_S = 8
MARGIN_MS = 200
_SEED = 7
# A second model takes over where the first one fails, as an installation would have it.
_FALLBACK = {"AI_TOTAL_S": str(TOTAL_S), "AI_FALLBACK_MODELS": "gpt-4.1-mini"}
# Of what guests ask, the limits allow so much.
ALLOWED_SHARE = 0.6
_TOKENS_OF_A_REQUEST = 1_500
_PLENTY = 100_000_000


def under_faults(setting: Setting) -> Sequence[Figure]:
    """Ask while requests to the model go wrong in every way, mixed."""
    with running_desk(setting, _FALLBACK) as desk:
        desk.model.control(**PACE, faults=FAULTS, seed=_SEED)
        heard = ask_all(list(fresh_asks(desk, setting, setting.seconds)), f"faults, {setting}")
        counts = desk.model.counts()
    name = f"{setting}, faults"
    return [
        *guests_figures(name, heard, TOTAL_S * 1000 + MARGIN_MS),
        *(
            Figure("chat", name, f"requests that met {fault}", count, "requests")
            for fault, count in counts["faults"].items()
        ),
        Figure(
            "chat", name, "requests to the model for each guest", counts["requests"] / len(heard), "requests"
        ),
    ]


def within_limits(setting: Setting) -> Sequence[Figure]:
    """Ask more than the key may: once by its requests a minute, once by its tokens."""
    minutes = setting.seconds / 60
    requests = round(ALLOWED_SHARE * setting.rate * setting.seconds / (1 + minutes))
    few_requests = {"requests_per_minute": requests, "tokens_per_minute": _PLENTY}
    few_tokens = {"requests_per_minute": _PLENTY, "tokens_per_minute": requests * _TOKENS_OF_A_REQUEST}
    return [
        figure
        for what, limits in (("requests", few_requests), ("tokens", few_tokens))
        for figure in _within(setting, what, limits)
    ]


def _within(setting: Setting, what: str, limits: Mapping[str, int]) -> Iterator[Figure]:
    with running_desk(setting) as desk:
        # Before the desk's first request: what it learns of limits are these.
        desk.model.control(**PACE, **limits)
        heard = ask_all(list(fresh_asks(desk, setting, setting.seconds)), f"limits, {setting}")
        counts = desk.model.counts()
    name = f"{setting}, limited {what}: {limits[f'{what}_per_minute']} a minute"
    yield Figure("chat", name, "429s seen", counts["rate_limited"], "requests", budget=0)
    yield Figure("chat", name, "asked of the model", counts["requests"], "requests")
    yield from guests_figures(name, heard, TOTAL_S * 1000 + MARGIN_MS)


def guests_figures(setting: str, heard: Sequence[Heard], p99_budget_ms: float) -> Iterator[Figure]:
    """What guests got, a limit for the slowest of them beside it."""

    def figure(metric: str, value: float, unit: str, budget: float | None = None) -> Figure:
        return Figure("chat", setting, metric, value, unit, budget=budget)

    yield figure("guests", len(heard), "guests")
    yield figure("without a proper answer", sum(not one.is_proper for one in heard), "guests", 0)
    yield figure("internal strings", len(internals(heard)), "answers", 0)
    for name, value in percentiles([one.took_ms for one in heard]):
        yield figure(f"answer {name}", value, "ms", p99_budget_ms if name == "p99" else None)
    for source, count in sorted(_sources(heard).items()):
        yield figure(f"answered by: {source}", count, "guests")


def _sources(heard: Sequence[Heard]) -> Counter[str]:
    return Counter(_who(one.status, one.answer) for one in heard)


def _who(status: int, answer: Mapping[str, Any]) -> str:
    if status != 200:
        return f"nothing (HTTP {status})" if status else "nothing"
    handed_over = ", and the team" if answer.get("handover") else ""
    return f"{answer.get('source') or 'nothing'}{handed_over}"

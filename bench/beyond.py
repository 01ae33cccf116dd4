"""What an answer took beyond the model's own time, told by the simulated model itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.asking import Heard
from bench.faults.crowd import marks_in


@dataclass(frozen=True, slots=True)
class ModelTime:
    """When the model had the request, and wrote its first and its last token; seconds since 1970."""

    received_at: float
    first_at: float
    last_at: float

    @property
    def first_ms(self) -> float:
        """From the request to the first token."""
        return (self.first_at - self.received_at) * 1000

    @property
    def whole_ms(self) -> float:
        """From the request to the last token."""
        return (self.last_at - self.received_at) * 1000


@dataclass(frozen=True, slots=True)
class Beyond:
    """Of one answer that the model gave, in ms.

    ``whole`` and ``first`` are the client's time to the end and to the first words, less the model's own;
    ``handed_on`` is from the model's first token on its wire to the first words on the client's.
    """

    model: float
    whole: float
    first: float | None
    handed_on: float | None


def model_times(records: Iterable[Mapping[str, Any]]) -> dict[str, ModelTime]:
    """The model's times of each question that it answered to the end, by the question's mark."""
    found: dict[str, ModelTime] = {}
    for record in records:
        marks = marks_in(_last_message(record))
        if marks and record["outcome"] == "answered":
            times = ModelTime(record["received_at"], record["first_token_at"], record["last_token_at"])
            # Where a second request was sent after a late first one, the quicker was the answer.
            known = found.get(marks[0])
            if known is None or times.last_at < known.last_at:
                found[marks[0]] = times
    return found


def beyond(heard: Sequence[Heard], times: Mapping[str, ModelTime]) -> list[Beyond]:
    """What each of *heard* took beyond the model, as far as the model answered it."""
    return [
        _beyond(one, times[one.key]) for one in heard if one.is_proper and one.key in times and _is_model(one)
    ]


def _is_model(one: Heard) -> bool:
    """Asked straight, a model names no source."""
    return one.source in ("model", "")


def _beyond(one: Heard, model: ModelTime) -> Beyond:
    first = handed_on = None
    if one.first_at is not None:
        first = (one.first_at - one.sent_at) * 1000 - model.first_ms
        handed_on = (one.first_at - model.first_at) * 1000
    return Beyond(model.whole_ms, one.took_ms - model.whole_ms, first, handed_on)


def _last_message(record: Mapping[str, Any]) -> str:
    body = record["body"] if isinstance(record["body"], dict) else {}
    messages = body.get("messages") or [{}]
    return str(messages[-1].get("content", ""))

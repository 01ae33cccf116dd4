"""Why the desk said what it said: sources, models, and where the time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.domain.knowledge import Citation, Document
from server.domain.model_calls import ModelCall
from server.domain.views import OutboundView, TurnView
from server.store.turn_origins import TurnOrigins

# What a bar chart is wide, in its own units.
CHART_WIDTH = 1000
# A bar that is shorter would not be seen.
_LEAST_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Source:
    """A citation, and the words of its document as it is now; None where it is gone.

    ``is_changed``: it may have said something else when it was cited.
    """

    title: str
    score: float
    words: str | None
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A step of a turn, from when to when, in milliseconds from its beginning; ``x`` and ``width`` are in
    the units of the chart. ``name`` is the moment that ends it.
    """

    name: str
    start_ms: float
    end_ms: float
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Why:
    """What is told of one turn."""

    sources: Sequence[Source]
    calls: Sequence[ModelCall]
    bars: Sequence[Bar]

    @property
    def cost_micros(self) -> int:
        """What its calls have cost, in millionths of a US dollar."""
        return sum(call.cost_micros for call in self.calls)


def explain(origins: TurnOrigins, tenant_id: str, line: OutboundView, turn: TurnView) -> Why:
    """What is told of *turn*, which *line* came of. Two queries."""
    documents = origins.documents(tenant_id, {citation.document for citation in turn.citations})
    return Why(
        sources=sources(turn.citations, turn.committed_at, documents),
        calls=origins.model_calls(tenant_id, turn.id),
        bars=bars(moments_ms(line, turn)),
    )


def sources(
    citations: Sequence[Citation], cited_at: datetime, documents: Mapping[str, Document]
) -> Sequence[Source]:
    """The citations of *cited_at* with the words that their documents have now."""
    return [_source(citation, cited_at, documents.get(citation.document)) for citation in citations]


def moments_ms(line: OutboundView, turn: TurnView) -> Mapping[str, float]:
    """When each step of a turn was reached, up to what the guest saw or heard of it."""
    moments = dict(turn.steps_ms)
    if line.guest_wrote_at is None or line.is_spoken:
        # On a call the first sound is among the steps, counted from the caller's last.
        return moments
    for name, at in (("sent", line.sent_at), ("delivered", line.delivered_at), ("read", line.read_at)):
        if at is not None:
            moments[name] = round(max(timedelta(0), at - line.guest_wrote_at) / timedelta(milliseconds=1), 2)
    return moments


def bars(moments: Mapping[str, float]) -> Sequence[Bar]:
    """A bar for each step, one after another."""
    in_order = sorted(moments.items(), key=lambda moment: moment[1])
    # When a guest looks at the phone is not the desk's time: hours of it would leave the rest no room.
    whole_ms = max((at for name, at in in_order if name != "read"), default=0.0)
    found: list[Bar] = []
    start_ms = 0.0
    for name, end_ms in in_order:
        x, end = (_in_chart(at, whole_ms) for at in (start_ms, end_ms))
        width = max(_LEAST_WIDTH, end - x)
        found.append(Bar(name, start_ms, end_ms, min(x, CHART_WIDTH - width), width))
        start_ms = end_ms
    return found


def _in_chart(at_ms: float, whole_ms: float) -> int:
    return 0 if whole_ms <= 0 else min(CHART_WIDTH, round(CHART_WIDTH * at_ms / whole_ms))


def _source(citation: Citation, cited_at: datetime, document: Document | None) -> Source:
    if document is None:
        return Source(citation.title, citation.score, None, is_changed=False)
    is_changed = document.changed_at is not None and document.changed_at > cited_at
    return Source(citation.title, citation.score, document.body, is_changed)

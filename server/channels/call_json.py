"""A call as JSON: the same over HTTP and from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from server.domain.call_views import CallView, RecordingView, SpokenTurn


def call_as_json(call: CallView) -> dict[str, Any]:
    """All that there is to tell of a call."""
    return {
        "id": call.id,
        "conversation": call.conversation_id,
        "caller": call.caller or None,
        "called": call.called,
        "started_at": call.started_at.isoformat(),
        "ended_at": None if call.ended_at is None else call.ended_at.isoformat(),
        "ended_because": call.ended_because or None,
        "seconds": call.seconds,
        "turns": [_turn(turn) for turn in call.turns],
        "recordings": [_recording(number, one) for number, one in enumerate(call.recordings, 1)],
    }


def _turn(turn: SpokenTurn) -> Mapping[str, Any]:
    return {
        "at": turn.at.isoformat(),
        "words": turn.words,
        "told": turn.told,
        "intended": turn.intended,
        "source": turn.source,
        "language": turn.language,
        "handover": turn.handover,
        "reason": turn.reason or None,
        "citations": [asdict(citation) for citation in turn.citations],
        "steps_ms": turn.steps_ms,
    }


def _recording(number: int, recording: RecordingView) -> Mapping[str, Any]:
    return {
        "number": number,
        "begun_at": recording.begun_at.isoformat(),
        "seconds": recording.seconds,
        "complete": recording.seconds is not None,
    }

"""A call that broke off goes on in writing: what the caller did not hear comes by WhatsApp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from server.domain.calls import ASKED_FOR_PERSON, CALL_CONTINUED, Call, EndedCall, NextStep
from server.domain.conversations import Reply
from server.ports.calls import CallStore
from server.voice.lines import HEBREW, is_farewell

# They are written, and never spoken.
_CUT_OFF = "We were cut off on the phone. Here is the answer in full:"
_CUT_OFF_HE = "השיחה בטלפון נקטעה. זו התשובה המלאה:"
_UNANSWERED = (
    "We were cut off on the phone before your question was answered. You are welcome to ask it here."
)
_UNANSWERED_HE = "השיחה בטלפון נקטעה לפני שניתנה תשובה. אפשר לשאול כאן."

log = structlog.get_logger(__name__)


class Continuing:
    """Looks at calls that have ended. Blocks.

    Args:
        wake: is told the outbox lane that has news.
    """

    def __init__(self, calls: CallStore, wake: Callable[[str], None]) -> None:
        self._calls = calls
        self._wake = wake

    def look(self, limit: int) -> None:
        """Look at each call once, some seconds after its end: by then all that was said is in the log."""
        for ended in self._calls.due_endings(limit):
            lane = self._calls.close_ending(ended.call.id, left_unsaid(ended))
            if lane is not None:
                log.info("call.continued", call=ended.call.id, conversation=ended.call.conversation_id)
                self._wake(lane)


def left_unsaid(ended: EndedCall) -> Reply | None:
    """What a caller is to be written; None if nothing was left, or it is not wanted in writing."""
    reply = ended.reply
    if reply is None or not _goes_on_in_writing(ended.call) or _is_over(ended.words, reply):
        return None
    if not reply.text:
        text = _UNANSWERED_HE if reply.language == HEBREW else _UNANSWERED
    elif ended.told != reply.text:
        text = f"{_CUT_OFF_HE if reply.language == HEBREW else _CUT_OFF}\n\n{reply.text}"
    else:
        return None
    # Staff have heard of the turn itself.
    return replace(reply, text=text, reason=CALL_CONTINUED, handover=False)


def _goes_on_in_writing(call: Call) -> bool:
    is_with_a_person = call.next_step in (NextStep.TRANSFER, NextStep.MESSAGE)
    is_known = bool(call.caller) and not (call.is_test or call.is_for_staff)
    return call.tenant.settings.continue_on_whatsapp and is_known and not is_with_a_person


def _is_over(words: str, reply: Reply) -> bool:
    """Whether nothing that the caller asked is open: they said goodbye, were silent, or got a person."""
    return not words or is_farewell(words) or reply.reason == ASKED_FOR_PERSON

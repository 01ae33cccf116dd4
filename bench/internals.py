"""What no guest may ever read: traces, keys, prompt text, names of providers and of their errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from bench.asking import Heard
from server.conversation.prompts import INSTRUCTIONS
from server.knowledge.reading import word_runs

# So many words of the instructions in a row are no coincidence.
_RUN_WORDS = 6
_MARKS = re.compile(
    r"traceback|\bline \d+, in\b|\b\w*(?:error|exception|timeout)\b\s*[:(]|\bHTTP [45]\d\d\b"
    r"|\b(?:openai|httpx2?|sqlalchemy|psycopg2?|gunicorn|pydantic|chatcmpl|uvicorn)\b"
    r"|rate.?limit|finish_reason|\bsk-\w|\bbearer\b|api[_ ]key"
    r"|\[\[|\]\]|\[(?:p\d+|facts)\]|</?(?:guest|document|business|note)\b|<!doctype|<html"
    r"|internal server error|(?-i:\b(?:None|null|undefined)\b)|127\.0\.0\.1",
    re.IGNORECASE,
)


def internals(heard: Iterable[Heard]) -> list[str]:
    """The first thing of the machinery in each answer that shows any, whatever its status was."""
    return [found for one in heard if (found := internal_in(_seen(one)))]


def internal_in(text: str) -> str:
    """The first thing of the machinery in *text*; empty where it shows none."""
    if found := _MARKS.search(text):
        return found[0]
    runs = word_runs(text, _RUN_WORDS) & word_runs(INSTRUCTIONS, _RUN_WORDS)
    return " ".join(min(runs)) if runs else ""


def _seen(one: Heard) -> str:
    """All that a guest could be shown, at any moment."""
    told = {name: one.answer.get(name) or "" for name in ("error", "quick_replies")}
    return "\n".join(
        [one.reply, one.shown, *(json.dumps(text, ensure_ascii=False) for text in told.values())]
    )

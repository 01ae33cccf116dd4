"""Questions to the chat API at a steady rate, and the desk that is asked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.asking import Ask
from bench.chat_desk import ChatDesk, new_conversation, simulated_model
from bench.guest_questions import fresh_questions
from bench.messages import TENANT
from bench.scratch import scratch_database

PROCESSES = ("web", "realtime")
WHOLE, STREAMED, KNOWN = "whole", "streamed", "known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One run. ``streamed`` is the share of fresh questions whose answer is streamed."""

    database: str
    process: str
    rate: float
    seconds: int
    streamed: float

    def __str__(self) -> str:
        return f"{self.database}, {self.process}, {self.rate:g}/s for {self.seconds} s"


@contextmanager
def running_desk(setting: Setting, settings: Mapping[str, str] | None = None) -> Iterator[ChatDesk]:
    """A desk with a simulated model, running; *settings* are more of its processes'."""
    with (
        tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name,
        scratch_database(setting.database, Path(name)) as url,
        simulated_model() as model,
    ):
        has_realtime = setting.process == "realtime"
        desk = ChatDesk(Path(name), url, model, settings or {}, has_realtime=has_realtime)
        desk.prepare()
        with desk.running():
            yield desk


def fresh_asks(desk: ChatDesk, setting: Setting, seconds: float) -> Iterator[Ask]:
    """Questions that were never asked before, each in a conversation of its own."""
    questions = fresh_questions()
    streamed = 0.0
    for number in range(round(setting.rate * seconds)):
        mark, text = next(questions)
        streamed += setting.streamed
        kind = WHOLE if streamed < 1 else STREAMED
        streamed -= kind == STREAMED
        yield chat_ask(desk, setting.process, mark, kind, number / setting.rate, text)


def known_asks(desk: ChatDesk, process: str, texts: Sequence[str], count: int, gap_s: float) -> Iterator[Ask]:
    """The same questions again and again, each time in a new conversation, not when fresh ones are due."""
    for number in range(count):
        due_s = (number + 0.25) * gap_s
        yield chat_ask(desk, process, f"{KNOWN}-{number}", KNOWN, due_s, texts[number % len(texts)])


def chat_ask(desk: ChatDesk, process: str, key: str, kind: str, due_s: float, text: str) -> Ask:
    """A guest's first message. `realtime` streams every answer, `web` those of the kind `STREAMED`."""
    path = "/api/v1/chat/stream" if process == "realtime" or kind == STREAMED else "/api/v1/chat"
    body = {"tenant": TENANT, "conversation": new_conversation(), "message": text}
    return Ask(
        key=key, kind=kind, due_s=due_s, url=desk.urls[process] + path, headers=desk.headers, body=body
    )

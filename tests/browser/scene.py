"""The conversations that the browser looks at: two languages, every state, and things that break pages."""

from __future__ import annotations

import math
import struct
import zlib
from datetime import datetime, timedelta
from typing import Any

from server.domain.language import detect_language
from server.domain.messages import DeliveryState
from server.domain.questions import QuestionState
from server.store.models import QuestionRow
from server.store.session import Database
from tests.fakes.media import FakeMedia
from tests.fakes.recordings import FakeShelf
from tests.support.threads import ThreadBuilder

_TURN: dict[str, Any] = {
    "citations": [{"document": "check-in", "title": "Check-in and check-out", "score": 0.91}],
    "timings_ms": {"context": 4.1, "knowledge": 22.6, "model": 812.0, "gate": 0.4},
    "analysis": {
        "language": "en",
        "intent": "question",
        "sentiment": "neutral",
        "open_request": False,
        "needs_human": False,
    },
}
_ATTACK = "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title='taken over'\">"


def write_scene(database: Database, now: datetime, media: FakeMedia, shelf: FakeShelf) -> dict[str, int]:
    """Write all conversations, the newest first; return their ids by part."""
    media.files |= {"VOICE": _tone(2.0), "PICTURE": _picture(), "PAGE": _ATTACK.encode()}
    shelf.begin("1", "recording").write(_tone(4.0))
    shelf.begin("1", "recording").finish()
    parts = {
        "handover": _handover,
        "english": _english,
        "hebrew": _hebrew,
        "failed": _failed,
        "call": _call,
        "long_words": _long_words,
        "script": _script,
        "long": _long,
    }
    start = now - timedelta(hours=2)
    threads = {
        part: write(database, start - timedelta(hours=5 * place)).id
        for place, (part, write) in enumerate(parts.items())
    }
    asked = {
        "script": _ATTACK,
        "hebrew": "אפשר לבוא עם תוכי לחדר 12-AB?",
        "handover": "Is there a place to land a helicopter?",
    }
    for part, text in asked.items():
        _ask(database, threads[part], text, now - timedelta(hours=1))
    return threads


def _ask(database: Database, conversation_id: int, text: str, at: datetime) -> None:
    """A question that no document answers."""
    with database.write() as session:
        session.add(
            QuestionRow(
                tenant_id="1",
                conversation_id=conversation_id,
                turn_id=f"asked-{conversation_id}",
                text=text,
                language=detect_language(text),
                state=QuestionState.OPEN,
                asked_at=at,
            )
        )


def _tone(seconds: float) -> bytes:
    """A WAV file."""
    rate = 8_000
    samples = (int(9_000 * math.sin(place / rate * 2_000)) for place in range(round(seconds * rate)))
    body = b"".join(struct.pack("<h", sample) for sample in samples)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(body))
        + b"WAVE"
        + form
        + struct.pack("<4sI", b"data", len(body))
        + body
    )


def _picture(side: int = 240) -> bytes:
    """A PNG of a blue that fades."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + bytes((40, 90 + row // 2, 200)) * side for row in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _enclosing(name: str, **details: Any) -> dict[str, Any]:
    return {"media": {"key": {"id": name}}, **details}


def _call(database: Database, at: datetime) -> ThreadBuilder:
    thread = ThreadBuilder(database, at, name="Dana Levi")
    thread.calls("CA1", recordings=["recording"], seconds=74, after_s=0)
    asked = thread.guest_says("מתי ארוחת הבוקר?", after_s=6, channel="voice")
    thread.reply(
        "ארוחת הבוקר מוגשת בין 7:30 ל-10:30.",
        covers=[asked],
        state=DeliveryState.SENT,
        turn=_TURN,
        channel="voice",
    )
    spoken = {"transcript": {"language": "he", "confidence": 0.9}}
    thread.guest_says(
        "ואפשר גם ארוחה צמחונית?", after_s=300, kind="audio", details=_enclosing("VOICE", **spoken)
    )
    thread.reply("כן, יש מבחר צמחוני וטבעוני.", state=DeliveryState.READ, turn=_TURN)
    thread.guest_says("This is the view we booked", kind="image", details=_enclosing("PICTURE"))
    thread.guest_says("", kind="document", details=_enclosing("PAGE", file_name="חוזה 2026 (signed).pdf"))
    thread.set(language="he")
    return thread


def _handover(database: Database, at: datetime) -> ThreadBuilder:
    thread = ThreadBuilder(database, at, name="Maya Rosen")
    first = thread.guest_says("Hello! Can we bring our own cook for Friday dinner?")
    thread.reply(
        "I don't know, I have asked the team. They will write to you here.",
        covers=[first],
        state=DeliveryState.READ,
        turn=_TURN | {"citations": [], "handover": True, "reason": "nothing_known"},
    )
    thread.phone_says("Hi Maya, Dan here. Of course, the kitchen is yours from 16:00.", after_s=600)
    thread.happens("takeover", "host_phone", mode="human")
    thread.happens("hand_back", "console: Noa", after_s=60, mode="ai")
    second = thread.guest_says("Wonderful, thank you. And is there a high chair?", after_s=120)
    thread.needs_a_person()
    thread.set(language="en")
    thread.reply(
        "Yes, there is a high chair in the dining room.",
        covers=[second],
        state=DeliveryState.SENT,
        turn=_TURN,
    )
    thread.guest_says("Great. What is the Wi-Fi password?", after_s=20, handled_at=None)
    return thread


def _english(database: Database, at: datetime) -> ThreadBuilder:
    thread = ThreadBuilder(database, at, name="Tom Becker")
    first = thread.guest_says("Hi there")
    second = thread.guest_says("when is check-in?", after_s=2)
    thread.reply(
        "Hello! Check-in is from 15:00, check-out is until 11:00.\n\nThe key box stands next to the gate.",
        covers=[first, second],
        state=DeliveryState.READ,
        turn=_TURN,
    )
    thread.guest_says(
        "And can we leave our bags before that?",
        quoted={"id": "OUT", "text": "Hello! Check-in is from 15:00, check-out is until 11:00."},
        sent_at=thread.at - timedelta(hours=1),
    )
    thread.reply("Yes. The locker room is open from 08:00.", state=DeliveryState.COMMITTED, turn=_TURN)
    thread.guest_says("", after_s=400, kind="image")
    thread.guest_says("Is this the right gate?", after_s=1, kind="image")
    thread.set(language="en")
    return thread


def _hebrew(database: Database, at: datetime) -> ThreadBuilder:
    thread = ThreadBuilder(database, at, name="נועם לוי")
    first = thread.guest_says("שלום, מתי אפשר להיכנס לחדר? מספר ההזמנה שלי 12-AB, הטלפון +972 54 123 4567.")
    thread.reply(
        "שלום נועם! הכניסה לחדרים מ-15:00 והיציאה עד 11:00. רשת ה-Wi-Fi היא Harbour_Guest.\n"
        "Check-in desk: +972-3-555-0100",
        covers=[first],
        state=DeliveryState.READ,
        turn=_TURN
        | {"language": "he", "citations": [{"document": "c", "title": "כניסה ויציאה", "score": 0.88}]},
    )
    thread.guest_says("תודה רבה! https://example.com/map?from=12-AB&to=gate/ זה המיקום?")
    thread.set(language="he")
    return thread


def _failed(database: Database, at: datetime) -> ThreadBuilder:
    thread = ThreadBuilder(database, at, name="Ines Prado")
    first = thread.guest_says("Is breakfast included?")
    thread.reply(
        "Breakfast is included and is served from 07:30 to 10:30.",
        covers=[first],
        state=DeliveryState.FAILED,
        reason="refused 463",
        turn=_TURN,
    )
    thread.happens("takeover", "console: Noa", mode="human")
    thread.set(language="en", mode="human", hand_back_at=thread.at + timedelta(hours=12))
    return thread


def _long_words(database: Database, at: datetime) -> ThreadBuilder:
    thread = ThreadBuilder(database, at, name="Donaudampfschifffahrtselektrizitaeten" * 3)
    first = thread.guest_says("https://example.com/" + "a" * 300)
    thread.reply("W" * 400, covers=[first], turn=_TURN | {"reason": "r" * 64})
    thread.guest_says("שלום" * 80)
    return thread


def _script(database: Database, at: datetime) -> ThreadBuilder:
    thread = ThreadBuilder(database, at, name=f"Bobby {_ATTACK}")
    first = thread.guest_says(_ATTACK)
    thread.reply(f"שלום {_ATTACK}", covers=[first], turn=_TURN)
    return thread


def _long(database: Database, at: datetime) -> ThreadBuilder:
    thread = ThreadBuilder(database, at - timedelta(days=3), name=None)
    for number in range(1, 61):
        question = thread.guest_says(f"Question {number}", after_s=1800)
        thread.reply(f"Answer {number}", covers=[question])
    return thread

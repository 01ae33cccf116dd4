"""Guests who write to numbers in the WhatsApp simulator, and when they see typing and replies."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tqdm import tqdm

from simulators.whatsapp_client import Event, WhatsAppSimulator

REPLY_TIMEOUT_S = 20.0
_POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One message and what came back. Times are in seconds since 1970, ``None`` for what did not come."""

    message_id: str
    host: str
    sent_at: float
    typing_at: float | None
    replied_at: float | None

    @property
    def round_trip_ms(self) -> float:
        """From the message to its reply; only of one that was replied to."""
        return ((self.replied_at or self.sent_at) - self.sent_at) * 1000

    @property
    def typing_ms(self) -> float | None:
        """From the message to the typing indicator."""
        return None if self.typing_at is None else (self.typing_at - self.sent_at) * 1000


class Watcher:
    """Follows the simulator's events: what each guest has seen, and when."""

    def __init__(self, whatsapp: WhatsAppSimulator) -> None:
        self._whatsapp = whatsapp
        self._seen: dict[tuple[str, str], list[float]] = {}
        self._changed = threading.Condition()
        self._is_over = False
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        self._thread.join()

    def await_reply(self, guest: str, after: float, timeout_s: float = REPLY_TIMEOUT_S) -> float | None:
        """When *guest* first got a message after *after*; None if none comes in time."""
        with self._changed:
            self._changed.wait_for(lambda: self.first("guest.received", guest, after) is not None, timeout_s)
        return self.first("guest.received", guest, after)

    def first(self, kind: str, guest: str, after: float) -> float | None:
        """When the first event of *kind* after *after* was, as far as is known."""
        return next((at for at in self._seen.get((kind, guest), ()) if at >= after), None)

    def _follow(self) -> None:
        after = 0
        while not self._is_over:
            events, after = self._whatsapp.events(after=after, timeout_s=_POLL_S)
            with self._changed:
                for event in events:
                    self._note(event)
                self._changed.notify_all()

    def _note(self, event: Event) -> None:
        if event["type"] == "guest.presence" and event["state"] != "composing":
            return
        if event["type"] in ("guest.received", "guest.presence"):
            self._seen.setdefault((event["type"], event["pn"]), []).append(event["at"] / 1000)


class Guests:
    """Guests of some hosts, each with one message under way at a time.

    Args:
        numbers: each guest's number, and the host that they write to.
    """

    def __init__(self, whatsapp: WhatsAppSimulator, watcher: Watcher, numbers: Mapping[str, str]) -> None:
        self._whatsapp = whatsapp
        self._watcher = watcher
        self._hosts = numbers
        for number in numbers:
            whatsapp.add_guest(number)

    def talk(self, questions: Sequence[str], count: int, rate: float, label: str) -> list[Exchange]:
        """Let the guests write *count* messages, *rate* a second, as far as each has had their reply.

        Guests take turns, and so do *questions*.
        """
        guests = list(self._hosts)
        started = time.monotonic()
        with ThreadPoolExecutor(len(guests)) as pool, tqdm(desc=label, total=count, disable=None) as bar:
            locks = {guest: threading.Lock() for guest in guests}

            def exchange(number: int) -> Exchange:
                guest = guests[number % len(guests)]
                with locks[guest]:
                    left = started + number / rate - time.monotonic()
                    if left > 0:
                        time.sleep(left)
                    done = self._exchange(guest, questions[number // len(guests) % len(questions)])
                bar.update()
                return done

            return list(pool.map(exchange, range(count)))

    def _exchange(self, guest: str, text: str) -> Exchange:
        host = self._hosts[guest]
        # The simulator tells times in whole milliseconds, cut off.
        sent_at = time.time()
        message_id = self._whatsapp.send(guest, to=host, text=text)
        replied_at = self._watcher.await_reply(guest, int(sent_at * 1000) / 1000)
        typing_at = self._watcher.first("guest.presence", guest, int(sent_at * 1000) / 1000)
        return Exchange(
            message_id=message_id, host=host, sent_at=sent_at, typing_at=typing_at, replied_at=replied_at
        )

"""Guests who keep asking. Each question carries a mark of its own that its answer names."""

from __future__ import annotations

import heapq
import itertools
import random
import re
import threading
import time
from dataclasses import dataclass

from bench.faults.background import Background
from simulators.whatsapp_client import SimulatorError, WhatsAppSimulator

# Letters only, so that no gate takes a mark for a number or a code; no word begins so.
MARK = r"\bzq[a-z]{5}\b"
FIRST_NUMBER = 972540000001
PAUSE_S = (5.0, 15.0)
# One in so many times a guest writes several messages in a row.
BURST_ONE_IN = 4
LONGEST_BURST = 3
BURST_PAUSE_S = (0.02, 0.9)
_QUESTIONS = (
    "is there parking near the house?",
    "what time is breakfast?",
    "can we check in early?",
    "do you have a crib for a baby?",
    "how do we get to the beach from there?",
    "is the pool heated in winter?",
)
_MARK = re.compile(MARK)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Question:
    """One message of a guest.

    ``number`` counts the guest's own from 0; ``asked_at`` is in seconds since 1970.
    """

    mark: str
    guest: str
    number: int
    message_id: str
    asked_at: float


def marks_in(text: str) -> list[str]:
    """The marks in *text*, in its order, each once."""
    return list(dict.fromkeys(_MARK.findall(text)))


class Crowd:
    """Asks until it is stopped.

    Args:
        host: the number that they write to.
        guests: how many; each writes every few seconds, now and then several messages in a row.
    """

    def __init__(self, whatsapp: WhatsAppSimulator, host: str, guests: int, seed: int) -> None:
        self.guests = [str(FIRST_NUMBER + place) for place in range(guests)]
        self.by_mark: dict[str, Question] = {}
        self.by_message_id: dict[str, Question] = {}
        self.refused = 0
        self._whatsapp = whatsapp
        self._host = host
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._counts = dict.fromkeys(self.guests, 0)
        self._marks = itertools.count(self._random.randrange(26**4))
        self._stop = threading.Event()
        self._work = Background(self._ask_on)

    def start(self) -> None:
        """Register the phones and begin."""
        for number in self.guests:
            self._whatsapp.add_guest(number)
        self._work.start()

    def stop(self) -> None:
        """Ask nothing more."""
        self._stop.set()
        self._work.end()

    def _ask_on(self) -> None:
        now = time.monotonic()
        plan = [(now + self._random.uniform(0, PAUSE_S[1]), guest, 1) for guest in self.guests]
        heapq.heapify(plan)
        while not self._stop.is_set():
            at, guest, left = plan[0]
            if self._stop.wait(max(0.0, at - time.monotonic())):
                return
            self._ask(guest)
            heapq.heapreplace(plan, self._next(guest, left - 1))

    def _next(self, guest: str, left: int) -> tuple[float, str, int]:
        """When the guest writes again, and how many messages of the burst are left then."""
        if left:
            return time.monotonic() + self._random.uniform(*BURST_PAUSE_S), guest, left
        is_burst = self._random.randrange(BURST_ONE_IN) == 0
        messages = self._random.randint(2, LONGEST_BURST) if is_burst else 1
        return time.monotonic() + self._random.uniform(*PAUSE_S), guest, messages

    def _ask(self, guest: str) -> None:
        mark = self._next_mark()
        number = self._counts[guest]
        message_id = f"3EB0{self._random.getrandbits(72):018X}"
        question = Question(mark, guest, number, message_id, time.time())
        # Known before it is on its way: whoever watches the wires meets it at once.
        self.by_mark[mark] = self.by_message_id[message_id] = question
        text = f"{mark}: {self._random.choice(_QUESTIONS)}"
        try:
            self._whatsapp.send(guest, to=self._host, text=text, message_id=message_id)
        except SimulatorError:
            # The phone has not sent it: nobody owes an answer.
            del self.by_mark[mark], self.by_message_id[message_id]
            self.refused += 1
            return
        self._counts[guest] = number + 1

    def _next_mark(self) -> str:
        value, mark = next(self._marks) * 7919 % 26**5, ""
        for _ in range(5):
            value, letter = divmod(value, 26)
            mark = _LETTERS[letter] + mark
        return f"zq{mark}"

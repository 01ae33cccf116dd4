"""Five guests chat with the desk, offline: ``make demo`` or ``python -m simulators.demo``.

Real processes on a scratch database, the stock WhatsApp library against a simulated WhatsApp, and a simulated
model. Ends with 0 only if each guest got the right answer to each question, once.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import click

from simulators.lab import Lab, LabError, wait_until
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator

HOST = "972500000001"
ANSWER_TIMEOUT_S = 20.0
MODEL_TAKES_MS = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """What a guest writes, and words that the one right answer to it holds."""

    text: str
    expected: str


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest and what they ask, each line once the one before has been answered."""

    name: str
    number: str
    addressing: str
    lines: Sequence[Line]


# While the model is out of order: the business's own documents answer.
WITHOUT_MODEL = (
    Guest(
        "Emma",
        "447700900101",
        "lid",
        (
            Line("Hi!", "Tamarisk House"),
            Line("What time is check-in?", "15:00"),
            Line("And can I leave my luggage after check-out?", "luggage"),
        ),
    ),
    Guest(
        "נועה",
        "972520000102",
        "lid",
        (
            Line("שלום, באיזו שעה הצ'ק-אאוט?", "11:00"),
            Line("יש חניה במקום?", "40"),
            Line("תודה רבה!", "בשמחה"),
        ),
    ),
    Guest(
        "Luca",
        "393330000103",
        "pn",
        (
            Line("Do you have a helicopter landing pad?", "team"),
            Line("I want to talk to a person please", "person"),
        ),
    ),
)
# While the model takes its time: typing is shown meanwhile.
WITH_MODEL = (
    Guest(
        "Sophie",
        "336000000104",
        "lid",
        (
            Line("How much is the breakfast, please?", "65"),
            Line("Is smoking allowed on the balcony?", "balconies"),
        ),
    ),
    Guest("יואב", "972520000105", "pn", (Line("מותר להביא כלבים?", "10"), Line("מה השעה עכשיו?", ":"))),
)


class Screen:
    """The chats as the guests see them, lines of several guests between one another."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._started = time.monotonic()

    def show(self, who: str, text: str) -> None:
        """One message, with the seconds since the start."""
        indented = text.replace("\n", "\n" + " " * 26)
        with self._lock:
            click.echo(f"{time.monotonic() - self._started:6.1f} s  {who:>15}  {indented}")

    def title(self, text: str) -> None:
        """A heading."""
        with self._lock:
            click.echo(f"\n{click.style(text, bold=True)}")


@click.command(epilog="Example: python -m simulators.demo")
def main() -> None:
    """Five guests chat with the desk, offline; exit 0 only if each answer was right and came once."""
    try:
        faults = run()
    except LabError as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(1)
    for fault in faults:
        click.echo(f"demo: {fault}", err=True)
    sys.exit(1 if faults else 0)


def run() -> list[str]:
    """Play the scene; return what was wrong with it."""
    screen = Screen()
    screen.title("Starting a scratch desk, WhatsApp and a model, all on this machine ...")
    with (
        tempfile.TemporaryDirectory(prefix="frontdesk-demo-") as folder,
        start_simulator() as whatsapp,
        start_openai_simulator() as model,
    ):
        whatsapp.add_host(HOST, name="Tamarisk House")
        with Lab(Path(folder), whatsapp, model.settings) as lab:
            lab.link("1", HOST)
            return _play_all(screen, whatsapp, model)


def _play_all(screen: Screen, whatsapp: WhatsAppSimulator, model: OpenAISimulator) -> list[str]:
    model.control(error_status=503, error_rate=1.0)
    screen.title("The model is out of order: the business's own documents answer")
    faults = _play(screen, whatsapp, WITHOUT_MODEL)
    model.control(latency_first_token_ms=MODEL_TAKES_MS)
    screen.title(f"The model takes {MODEL_TAKES_MS / 1000:g} s to its first word")
    faults += _play(screen, whatsapp, WITH_MODEL)
    answers = sum(len(guest.lines) for guest in (*WITHOUT_MODEL, *WITH_MODEL))
    screen.title(
        f"{answers} messages of 5 guests: " + ("each answered right, once" if not faults else "FAILED")
    )
    return faults


def _play(screen: Screen, whatsapp: WhatsAppSimulator, guests: Sequence[Guest]) -> list[str]:
    for guest in guests:
        whatsapp.add_guest(guest.number, name=guest.name, addressing=guest.addressing)
    with ThreadPoolExecutor(len(guests)) as chats:
        found = list(chats.map(lambda guest: _chat(screen, whatsapp, guest), guests))
    return [fault for faults in found for fault in faults]


def _chat(screen: Screen, whatsapp: WhatsAppSimulator, guest: Guest) -> list[str]:
    faults: list[str] = []
    for number, line in enumerate(guest.lines, start=1):
        screen.show(guest.name, line.text)
        asked = time.monotonic()
        whatsapp.send(guest.number, to=HOST, text=line.text)
        try:
            wait_until(lambda n=number: _count(whatsapp, guest) >= n, ANSWER_TIMEOUT_S, "an answer")  # type: ignore[misc]
        except LabError:
            return [*faults, f"{guest.name} got no answer to: {line.text}"]
        took_s = time.monotonic() - asked
        answer = whatsapp.guest(guest.number)["received"][number - 1]["text"]
        screen.show(f"> {guest.name}", f"{answer}   ({took_s:.2f} s)")
        if line.expected not in answer:
            faults.append(
                f"{guest.name} asked {line.text!r}; {line.expected!r} is not in the answer {answer!r}"
            )
    return faults + _doubles(whatsapp, guest)


def _count(whatsapp: WhatsAppSimulator, guest: Guest) -> int:
    return len(whatsapp.guest(guest.number)["received"])


def _doubles(whatsapp: WhatsAppSimulator, guest: Guest) -> list[str]:
    """What came more than once, under the same id or another, or could not be read."""
    phone = whatsapp.guest(guest.number)
    is_once = (
        len(phone["received"]) == len(guest.lines)
        and set(phone["timesById"].values()) == {1}
        and phone["textRepeats"] == 0
        and phone["undecryptable"] == 0
    )
    return [] if is_once else [f"{guest.name} did not get each answer exactly once: {phone['timesById']}"]


if __name__ == "__main__":
    main()

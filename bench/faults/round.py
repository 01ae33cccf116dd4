"""One round: an installation of its own, guests, kills and trouble; then calm, and the verdict."""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.faults.books import BooksClosed, OutboundEntry
from bench.faults.crowd import MARK, Crowd, marks_in
from bench.faults.installation import HOST, DatabaseKind, Installation
from bench.faults.killer import Kill, Killer
from bench.faults.trouble import Trouble
from bench.faults.verdict import Evidence, Verdict, judge
from bench.faults.watch import Phase, Watch
from simulators.http_tap import Call
from simulators.openai_client import start_openai_simulator
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator

MODEL_FASTEST_MS = 500
MODEL_SPREAD_MS = 2500
# Of so many guests one has their own messages dropped, delayed and reordered.
DISTURBED_ONE_IN = 3
# The longest pauses that processes make by themselves: the outbox's 30 s, a sidecar's 60 s.
CALM_TIMEOUT_S = 150.0
# A stanza that was dropped comes at the next login.
_RECONNECT_EVERY_S = 15.0
# A reply that was sent twice would have come by then.
_SETTLE_S = 2.0
_POLL_S = 0.5
_BEFORE_COMMIT = (Phase.JOURNAL, Phase.INGEST, Phase.GENERATING)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a round is to be."""

    database: DatabaseKind
    kills: int
    seed: int
    guests: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a round has shown.

    ``recoveries_s`` are from a kill to the next reply that is committed, ``progress_s`` to the next progress
    of what the victim held.
    """

    verdict: Verdict
    kills: Sequence[Kill]
    recoveries_s: Sequence[float]
    progress_s: Sequence[float]
    troubles: dict[str, int]
    ended_by_themselves: dict[str, int]
    calm_after_s: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Result:
        """What ``to_json`` gave."""
        kills = [Kill(**{**kill, "phase": kill["phase"] and Phase(kill["phase"])}) for kill in plain["kills"]]
        return cls(**{**plain, "verdict": Verdict(**plain["verdict"]), "kills": kills})


class Round:
    """A round in *folder*.

    Args:
        tell: is called after each kill.
    """

    def __init__(self, plan: Plan, folder: Path, tell: Callable[[Kill], None]) -> None:
        self._plan = plan
        self._folder = folder
        self._tell = tell
        self._watch: Watch | None = None

    def run(self) -> Result:
        """Run it and judge; the evidence is left in the folder.

        Raises:
            LabError: the installation did not come up.
        """
        started = time.monotonic()
        with ExitStack() as stack:
            whatsapp = stack.enter_context(start_simulator(seed=self._plan.seed))
            model = stack.enter_context(start_openai_simulator("--seed", str(self._plan.seed)))
            model.control(
                latency_first_token_ms=MODEL_FASTEST_MS,
                latency_spread_ms=MODEL_SPREAD_MS,
                echo=MARK,
                seed=self._plan.seed,
            )
            installation = Installation(self._folder, self._plan.database, whatsapp, model, self._observe)
            crowd = Crowd(whatsapp, HOST, self._plan.guests, self._plan.seed)
            self._watch = Watch(whatsapp, crowd, installation.books, installation.linked_sidecar)
            disturbed = crowd.guests[::DISTURBED_ONE_IN]
            trouble = Trouble(installation, disturbed, self._plan.seed)
            killer = Killer(installation, self._watch, self._plan.seed)
            with installation:
                self._storm(crowd, killer, trouble)
                calm_after_s = self._await_calm(installation, whatsapp, crowd)
                evidence = _gather(installation, whatsapp, crowd, disturbed)
        self._keep(evidence)
        return Result(
            verdict=judge(evidence),
            kills=killer.kills,
            recoveries_s=recoveries_s(killer.kills, evidence.outbox),
            progress_s=progress_s(killer.kills, evidence.outbox),
            troubles=dict(trouble.made),
            ended_by_themselves=installation.supervisor.ended_by_themselves,
            calm_after_s=calm_after_s,
            seconds=time.monotonic() - started,
        )

    def _observe(self, call: Call) -> None:
        if self._watch is not None:
            self._watch.observe(call)

    def _storm(self, crowd: Crowd, killer: Killer, trouble: Trouble) -> None:
        assert self._watch is not None  # noqa: S101 - run() has made it
        self._watch.start()
        crowd.start()
        trouble.start()
        try:
            for _ in range(self._plan.kills):
                killer.pause()
                self._tell(killer.kill_one())
        finally:
            crowd.stop()
            trouble.stop()
            self._watch.stop()

    def _await_calm(self, installation: Installation, whatsapp: WhatsAppSimulator, crowd: Crowd) -> float:
        """Wait until each question has its reply, at most CALM_TIMEOUT_S; return how long it took."""
        installation.await_ready()
        started = time.monotonic()
        reconnected = started - _RECONNECT_EVERY_S + 2 * _SETTLE_S
        while time.monotonic() - started < CALM_TIMEOUT_S:
            if self._is_calm(installation, whatsapp, crowd):
                break
            if time.monotonic() - reconnected > _RECONNECT_EVERY_S:
                reconnected = time.monotonic()
                whatsapp.fault("disconnect", code=515)
            time.sleep(_POLL_S)
        took_s = time.monotonic() - started
        time.sleep(_SETTLE_S)
        return took_s

    def _is_calm(self, installation: Installation, whatsapp: WhatsAppSimulator, crowd: Crowd) -> bool:
        try:
            filed = {entry.message_id for entry in installation.books.inbox() if entry.is_handled}
            if installation.books.waiting() or not filed >= crowd.by_message_id.keys():
                return False
        except BooksClosed:
            return False
        received = {message_id for guest in crowd.guests for message_id, _ in _received(whatsapp, guest)}
        return all(
            entry.message_id in received for entry in installation.books.outbox(("sent", "delivered", "read"))
        )

    def _keep(self, evidence: Evidence) -> None:
        path = self._folder / "evidence.json"
        plain = {**asdict(evidence), "disturbed": sorted(evidence.disturbed)}
        path.write_text(json.dumps(plain, indent=1, ensure_ascii=False), encoding="utf-8")


def recoveries_s(kills: Sequence[Kill], outbox: Sequence[OutboundEntry]) -> list[float]:
    """Seconds from each kill to the next commit of a reply, if there was one."""
    commits = sorted(entry.committed_at for entry in outbox if entry.committed_at is not None)
    places = [bisect_right(commits, kill.at) for kill in kills]
    return [
        commits[place] - kill.at for kill, place in zip(kills, places, strict=True) if place < len(commits)
    ]


def progress_s(kills: Sequence[Kill], outbox: Sequence[OutboundEntry]) -> list[float]:
    """Seconds from each kill to the next progress of a message that the victim held.

    Up to the commit that is the commit of its reply, then its sending, then its receipt.
    """
    replies = {mark: entry for entry in outbox for mark in marks_in(entry.text)}
    found = []
    for kill in kills:
        progress = [
            at - kill.at
            for mark in kill.marks
            if mark in replies and (at := _next_progress(kill.phase, replies[mark])) and at > kill.at
        ]
        if progress:
            found.append(min(progress))
    return found


def _next_progress(phase: Phase | None, reply: OutboundEntry) -> float | None:
    if phase in _BEFORE_COMMIT:
        return reply.committed_at
    return reply.delivered_at if phase is Phase.SENT else reply.sent_at


def _gather(
    installation: Installation, whatsapp: WhatsAppSimulator, crowd: Crowd, disturbed: Sequence[str]
) -> Evidence:
    return Evidence(
        questions=list(crowd.by_mark.values()),
        received={guest: _received(whatsapp, guest) for guest in crowd.guests},
        inbox=installation.books.inbox(),
        outbox=installation.books.outbox(),
        disturbed=frozenset(disturbed),
    )


def _received(whatsapp: WhatsAppSimulator, guest: str) -> list[tuple[str, str]]:
    return [(message["id"], message["text"]) for message in whatsapp.guest(guest)["received"]]

"""Everything that goes wrong beside the kills: wires, stanzas, connections, the database and the disk."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Any

from bench.faults.background import Background
from bench.faults.disk import full_disk
from bench.faults.installation import Installation
from simulators.whatsapp_client import SimulatorError
from simulators.wire import Wire

GAP_S = (1.0, 4.0)
LASTS_S = (0.5, 3.0)
SLOW_S = (0.02, 0.4)
_LOCK_S = 5.0
# Ends after which the sidecar comes back by itself. 401, 403, 405 and 440 stop a number on purpose.
PASSING_CODES = (408, 428, 500, 503, 515)
# The model's wire stays whole: who answered without it would name no question.
_WIRES = ("server", "sidecar", "whatsapp", "database")
_STANZA_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "drop"},
    {"kind": "delay", "ms": 700},
    {"kind": "reorder"},
    {"kind": "duplicate", "mode": "same"},
    {"kind": "duplicate", "mode": "again"},
)
_ACK_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "no-ack", "delivered": True},
    {"kind": "no-ack", "delivered": False},
    {"kind": "ack-delay", "ms": 1500},
)


class Trouble:
    """Makes trouble of one kind after another until it is stopped, then mends everything.

    Args:
        disturbed: the guests whose own messages may be dropped, delayed or reordered on the way.
    """

    def __init__(self, installation: Installation, disturbed: Sequence[str], seed: int) -> None:
        self.made: Counter[str] = Counter()
        self._installation = installation
        self._whatsapp = installation.whatsapp
        self._disturbed = disturbed
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._stop = threading.Event()
        self._work = Background(self._make)
        self._kinds: tuple[Callable[[], None], ...] = (
            partial(self._bend_wire, "slow"),
            partial(self._bend_wire, "stalled"),
            partial(self._bend_wire, "cut"),
            self._spoil_stanza,
            self._spoil_ack,
            self._spoil_receipt,
            self._disconnect,
            self._refuse_socket,
            self._stop_database,
            self._fill_disk,
        )

    def start(self) -> None:
        """Begin."""
        self._work.start()

    def stop(self) -> None:
        """Make no more, and mend what can be mended."""
        self._stop.set()
        try:
            self._work.end()
        finally:
            self._installation.mend()
            self._whatsapp.clear_faults()

    def _make(self) -> None:
        while not self._stop.wait(self._random.uniform(*GAP_S)):
            # What is to be troubled may be dead at the moment.
            with suppress(SimulatorError):
                self._random.choice(self._kinds)()

    def _lasting(self) -> None:
        self._stop.wait(self._random.uniform(*LASTS_S))

    def _bend_wire(self, how: str) -> None:
        kind = self._random.choice([kind for kind in _WIRES if kind in self._installation.wires])
        wire = self._random.choice(self._installation.wires[kind])
        self.made[f"{how} wire to {kind}"] += 1
        do = self._installation.switchboard.do
        do(self._bend(wire, how))
        self._lasting()
        do(wire.mend())

    async def _bend(self, wire: Wire, how: str) -> None:
        if how == "slow":
            await wire.slow(self._random.uniform(*SLOW_S))
        elif how == "stalled":
            await wire.stall()
        else:
            await wire.cut()

    def _spoil_stanza(self) -> None:
        fault = self._random.choice(_STANZA_FAULTS)
        self.made[f"stanza: {fault['kind']}"] += 1
        self._whatsapp.fault(**fault, pn=self._random.choice(self._disturbed))

    def _spoil_ack(self) -> None:
        fault = self._random.choice(_ACK_FAULTS)
        self.made[f"ack: {fault['kind']}"] += 1
        self._whatsapp.fault(**fault)

    def _spoil_receipt(self) -> None:
        fault = self._random.choice(_STANZA_FAULTS)
        self.made[f"receipt: {fault['kind']}"] += 1
        self._whatsapp.fault(**fault, stanza="receipt")

    def _disconnect(self) -> None:
        code = self._random.choice(PASSING_CODES)
        moment = self._random.choice(("now", "guest-message", "client-message"))
        self.made[f"disconnect {code}"] += 1
        self._whatsapp.fault("disconnect", code=code, at=moment)

    def _refuse_socket(self) -> None:
        self.made["socket refused"] += 1
        self._whatsapp.fault("refuse", mode=self._random.choice(("reset", "http")))

    def _stop_database(self) -> None:
        self.made["database stopped"] += 1
        if self._installation.database == "sqlite":
            self._lock_database()
        else:
            # An immediate shutdown: PostgreSQL recovers as after a crash.
            self._installation.supervisor.restart(self._installation.process("postgres"), signal.SIGQUIT)

    def _lock_database(self) -> None:
        file = self._installation.database_file
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(file, timeout=_LOCK_S)) as database:
            database.execute("BEGIN EXCLUSIVE")
            self._lasting()

    def _fill_disk(self) -> None:
        # Limits of another user's process may not be set, not even by root in a container.
        process = self._random.choice([one for one in self._installation.processes if one.user is None])
        self.made[f"disk full for {process.name.partition('-')[0]}"] += 1
        with full_disk(process):
            self._lasting()

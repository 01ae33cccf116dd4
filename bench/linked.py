"""A scratch desk whose number is linked to the simulated WhatsApp, for guests to write to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.answering import answering
from bench.messages import TENANT
from bench.scratch import scratch_database
from simulators.lab import Lab
from simulators.whatsapp_client import start_simulator

HOST = "972500000001"


@contextmanager
def linked_lab(database: str, turns: str, workers: int = 0) -> Iterator[Lab]:
    """A lab on a new database, linked to `HOST`; its settings name the database's URL.

    Args:
        database: which kind, one of ``bench.scratch.DATABASES``.
        turns: what answers, one of ``bench.answering.TURNS``.
    """
    with (
        tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name,
        scratch_database(database, Path(name)) as url,
        start_simulator() as whatsapp,
        answering(turns) as model,
        Lab(Path(name), whatsapp, {"DATABASE_URL": url, **model}, workers=workers) as lab,
    ):
        whatsapp.add_host(HOST)
        lab.link(TENANT, HOST)
        yield lab

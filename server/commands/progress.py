"""Progress bars for long work, on standard error."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm

from server.knowledge.vectors import Progress


def show_on(bar: tqdm[Any]) -> Progress:
    """A callback that moves *bar* on."""

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return show

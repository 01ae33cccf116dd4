"""Progress bars for long work, on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.knowledge.vectors import Progress

if TYPE_CHECKING:
    from tqdm import tqdm


def show_on(bar: tqdm[object]) -> Progress:
    """A callback that moves *bar* on."""

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return show

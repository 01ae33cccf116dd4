"""A name has one moment, and none after the end."""

from __future__ import annotations

import asyncio

from server.voice.timers import Timers


async def test_a_moment_that_is_set_anew_moves() -> None:
    timers, rung = Timers(), asyncio.Queue[str]()
    now = asyncio.get_running_loop().time()
    timers.start("turn_end", now, lambda: rung.put_nowait("first"))
    timers.start("turn_end", now, lambda: rung.put_nowait("second"))
    async with asyncio.timeout(5):
        assert await rung.get() == "second"
    assert rung.empty()


async def test_a_moment_may_set_itself_again() -> None:
    timers, rung = Timers(), asyncio.Queue[int]()
    now = asyncio.get_running_loop().time()

    def ring() -> None:
        rung.put_nowait(1)
        timers.start("again", now, ring)

    timers.start("again", now, ring)
    async with asyncio.timeout(5):
        assert [await rung.get() for _ in range(3)] == [1, 1, 1]
    timers.close()


async def test_nothing_rings_after_it_was_stopped_or_closed() -> None:
    timers, rung = Timers(), list[str]()
    now = asyncio.get_running_loop().time()
    timers.start("stopped", now, lambda: rung.append("stopped"))
    timers.start("closed", now, lambda: rung.append("closed"))
    timers.stop("stopped")
    timers.stop("never set")
    timers.close()
    timers.start("late", now, lambda: rung.append("late"))
    await asyncio.sleep(0.01)
    assert rung == []

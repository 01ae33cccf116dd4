"""``frontdesk bench voice --faults``: what callers hear when what a call needs breaks, at each point."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Never

import httpx2
import uvloop
from tqdm import tqdm

from bench.figures import Figure
from bench.internals import internal_in
from bench.voice_desk import NUMBER
from bench.voice_faults_call import FaultCall, Met
from bench.voice_faults_desk import StruckDesk, door_client, struck_desk
from bench.voice_faults_plan import ATTEMPTS, Plan, Who, plans
from simulators.twilio.network import PhoneNetwork

LONGEST_SILENCE_S = 2.0
# Calls at once on the desk whose providers break; what breaks a whole desk has one of its own.
AT_ONCE = 8
_PROVIDERS = (Who.SPEECH, Who.MODEL, Who.VOICE)
_WHOLE_DESK = (Who.PROCESS, Who.DATABASE)


def under_faults(seed: int) -> Sequence[Figure]:
    """Call, and let each fault happen at each point."""
    return list(figures(run(seed)))


def run(seed: int, wanted: Sequence[Plan] | None = None) -> list[Met]:
    """One call for each plan; by default for all there are."""
    all_plans = plans(seed, (*_PROVIDERS, *_WHOLE_DESK)) if wanted is None else wanted
    desks = [(_PROVIDERS, AT_ONCE), *(((who,), 1) for who in _WHOLE_DESK)]
    with ExitStack() as stack:
        bar = stack.enter_context(tqdm(desc="calls", total=len(all_plans), disable=None))
        lanes = [
            (stack.enter_context(struck_desk()), lane, at_once)
            for of, at_once in desks
            if (lane := [plan for plan in all_plans if plan.cell.who in of])
        ]
        return uvloop.run(_call_all(lanes, bar))


async def _call_all(lanes: Sequence[tuple[StruckDesk, Sequence[Plan], int]], bar: tqdm[Never]) -> list[Met]:
    async with door_client() as door:
        found = await asyncio.gather(*(_lane(*lane, door, bar) for lane in lanes))
    return [met for lane in found for met in lane]


async def _lane(
    desk: StruckDesk, lane: Sequence[Plan], at_once: int, door: httpx2.AsyncClient, bar: tqdm[Never]
) -> list[Met]:
    """The calls to one desk, so many at once, in order."""
    await asyncio.to_thread(desk.learn, lane)
    left = iter(lane)
    met: list[Met] = []

    async def call_on(network: PhoneNetwork) -> None:
        for plan in left:
            for attempt in range(ATTEMPTS):
                one = await FaultCall(network, NUMBER, plan, desk.around(plan, door), attempt).run()
                if one.is_struck:
                    break
            met.append(one)
            bar.update()
            if trouble := _trouble(one):
                bar.write(f"{one.plan.cell}: {trouble}\n{one.events}\n", file=sys.stderr)
            if plan.cell.who in _WHOLE_DESK:
                await asyncio.to_thread(desk.mend)
                await asyncio.to_thread(desk.learn, lane)

    async with desk.network() as network:
        await asyncio.gather(*(call_on(network) for _ in range(at_once)))
    said = [*await asyncio.to_thread(desk.log), *(text for one in met for text in one.said)]
    shown = [found for text in said if (found := internal_in(text))]
    if met and shown:
        met[0].internals.extend(shown)
    return met


def figures(met: Sequence[Met]) -> Iterator[Figure]:
    """What callers have heard: for each provider, and each of its faults."""
    for who in Who:
        of_it = [one for one in met if one.plan.cell.who is who]
        if of_it:
            yield from _figures(f"faults: {who}", of_it)
    yield from _figures("faults: all", met)


def _figures(setting: str, met: Sequence[Met]) -> Iterator[Figure]:
    def figure(metric: str, value: float, unit: str, budget: float | None = None) -> Figure:
        return Figure("voice", setting, metric, value, unit, budget=budget)

    yield figure("calls", len(met), "calls")
    yield figure("calls that the fault has met at its point", sum(one.is_struck for one in met), "calls")
    yield figure("longest silence of the desk", max(one.silence_s for one in met), "s", LONGEST_SILENCE_S)
    silent = sum(one.silence_s > LONGEST_SILENCE_S for one in met)
    yield figure("calls with dead air over 2 s", silent, "calls", 0)
    yield figure("calls stuck", sum(bool(one.stuck) for one in met), "calls", 0)
    yield figure("calls without a proper end", sum(not one.ended for one in met), "calls", 0)
    yield figure("internal strings heard", sum(len(one.internals) for one in met), "times", 0)
    for ended, count in sorted(Counter(one.ended or "not helped" for one in met).items()):
        yield figure(f"ended: {ended}", count, "calls")


def _trouble(met: Met) -> str:
    """What was wrong with a call; empty if nothing was."""
    found = [
        f"silent for {met.silence_s:.2f} s from {met.silent_at:.2f}"
        if met.silence_s > LONGEST_SILENCE_S
        else "",
        "stuck" if met.stuck else "",
        "" if met.ended else "not helped",
        "" if met.is_struck else "its point was not reached",
    ]
    return ", ".join(one for one in found if one)

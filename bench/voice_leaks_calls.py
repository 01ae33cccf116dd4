"""Short calls, each with a question of its own, that end in every way there is."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tqdm import tqdm

from bench.voice_desk import NUMBER
from bench.voice_faults_plan import GOODBYE, Question, marks, utterances_of
from simulators.google_tts_audio import speech
from simulators.twilio.account import Account
from simulators.twilio.caller import Caller, CallerWaitedInVain
from simulators.twilio.network import PhoneNetwork, phone_network

# At once; each wave ends before the next begins.
WAVE = 10
# Of the answer, or of a word over it, before the caller does what ends the call.
_INTO_S = 0.3


class End(StrEnum):
    """How a call ends."""

    HANG_UP = "the caller hangs up in the middle of the answer"
    SPEAKING = "the caller hangs up while they speak"
    DROPPED = "the socket breaks, and the caller hangs up a moment later"
    INTERRUPTED = "the caller interrupts, and hangs up"
    GOODBYE = "the caller says goodbye, and the desk hangs up"


@dataclass(frozen=True, slots=True)
class ShortCall:
    """One call."""

    end: End
    question: Question
    again: Question


def short_calls(count: int, seed: int) -> list[ShortCall]:
    """*count* calls whose ends take turns; the same for the same *seed*.

    The guests of each wave call again in the next, and ask the same: what remembers guests or questions does
    not grow.
    """
    given = marks(Random(seed))  # noqa: S311 - repeatable on purpose
    questions = itertools.cycle([(Question(next(given)), Question(next(given))) for _ in range(WAVE)])
    return [
        ShortCall(end, *asked)
        for end, asked in itertools.islice(zip(itertools.cycle(End), questions, strict=False), count)
    ]


def known_utterances(calls: Sequence[ShortCall]) -> list[dict[str, object]]:
    """What the simulated recogniser knows by its sound."""
    return utterances_of(_questions(calls))


def model_rules(calls: Sequence[ShortCall]) -> list[dict[str, str]]:
    """What the simulated model answers."""
    return [{"contains": question.mark, "reply": question.answer} for question in _questions(calls)]


def _questions(calls: Sequence[ShortCall]) -> list[Question]:
    return list(dict.fromkeys(question for call in calls for question in (call.question, call.again)))


async def call_all(
    calls: Sequence[ShortCall], account: Account, routes: Mapping[str, str], label: str
) -> int:
    """Place the calls, wave by wave, with a bar; returns how many were stuck."""
    stuck = 0
    with tqdm(desc=label, total=len(calls), disable=None) as bar:
        async with phone_network(account, routes) as network:
            for place in range(0, len(calls), WAVE):
                wave = calls[place : place + WAVE]
                stuck += sum(await asyncio.gather(*(_is_stuck(network, call) for call in wave)))
                bar.update(len(wave))
    return stuck


async def _is_stuck(network: PhoneNetwork, call: ShortCall) -> bool:
    """Whether the caller waited for something in vain."""
    # No two callers of a wave are the same.
    number = int.from_bytes(call.question.mark.encode(), "big") % 10_000_000
    caller = network.dial(NUMBER, from_=f"+97250{number:07}")
    try:
        await _talk(caller, call)
        await caller.hang_up()
    except CallerWaitedInVain:
        caller.call.hang_up("the caller")
        return True
    return False


async def _talk(caller: Caller, call: ShortCall) -> None:
    """Hear the greeting, ask, hear the answer begin, and do what ends the call."""
    await caller.hears_for(_INTO_S)
    asked = asyncio.create_task(_ask(caller, call.question.text))
    if call.end is End.SPEAKING:
        await caller.hears_silence(_INTO_S)
        asked.cancel()
        await asyncio.wait([asked])
        return
    await caller.hears_for(_INTO_S, since=await asked)
    if call.end is End.DROPPED:
        since = caller.call.stopwatch.now()
        caller.drop_stream()
        await caller.hears_for(_INTO_S, since=since)
    elif call.end is End.INTERRUPTED:
        await caller.hears_for(_INTO_S, since=await _ask(caller, call.again.text))
    elif call.end is End.GOODBYE:
        await _ask(caller, GOODBYE)
        await caller.ended()


async def _ask(caller: Caller, text: str) -> float:
    """Say *text*; returns when the first quiet frame after it has left."""
    utterance = await caller.say(speech(text), text)
    assert utterance.quiet_at is not None  # noqa: S101 - it has been said
    return utterance.quiet_at

"""How many calls one process can carry: ``python -m simulators.twilio.capacity --calls 1,20,50,100``.

Each call talks with an echo server in a process of its own, 50 frames a second both ways. Printed, one JSON
object for each number of calls: how late the simulator sent its frames, and how long an echo took.
"""

from __future__ import annotations

import asyncio
import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
import numpy as np
import uvloop
from websockets.exceptions import ConnectionClosed

from simulators.twilio import figures, mulaw
from simulators.twilio.account import Account, Number
from simulators.twilio.caller import Caller
from simulators.twilio.desk import ORIGIN, STREAM_URL, MediaSocket, scripted_desk
from simulators.twilio.network import PhoneNetwork, phone_network
from simulators.twilio.stopwatch import keep_time

_ROOT = Path(__file__).resolve().parents[2]
_NUMBER = "+97231234567"
_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 5.0


async def _echo(socket: MediaSocket) -> None:
    """Send back each frame as it comes."""
    await socket.begin()
    beginning = f'{{"event":"media","streamSid":"{socket.stream_sid}","media":{{"payload":"'
    # A caller who hangs up may meet an echo on its way.
    with suppress(ConnectionClosed):
        async for message in socket.connection:
            heard = json.loads(message)
            if heard["event"] == "media":
                await socket.connection.send(f'{beginning}{heard["media"]["payload"]}"}}}}')


async def _serve_echo() -> None:
    """Serve until SIGTERM; prints where on one line of JSON."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with scripted_desk() as desk:
        desk.documents["/voice"] = f'<Connect><Stream url="{STREAM_URL}"/></Connect>'
        desk.on_stream = _echo
        click.echo(json.dumps(desk.routes))
        await stop.wait()


@contextmanager
def _echo_server() -> Iterator[dict[str, str]]:
    """An echo server in a process of its own; gives the routes to it."""
    command = [sys.executable, "-m", "simulators.twilio.capacity", "--serve-echo"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None  # noqa: S101 - asked for
        try:
            readable, _, _ = select.select([process.stdout], [], [], _START_TIMEOUT_S)
            line = process.stdout.readline() if readable else ""
            if not line:
                raise click.ClickException("the echo server did not become ready; its error stands above")
            yield dict(json.loads(line))
        finally:
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


async def _measure(routes: dict[str, str], calls: int, seconds: float) -> dict[str, Any]:
    number = Number(voice_url=f"{ORIGIN}/voice")
    account = Account("token", numbers={_NUMBER: number})
    async with phone_network(account, routes) as network:
        callers = await _begin(network, calls)
        began, used = time.monotonic(), time.process_time()
        for caller in callers:
            # Only frames of the steady state count, not those of calls being set up.
            del caller.call.line.lateness_s[:]
        await asyncio.gather(*(caller.say(_tone(seconds)) for caller in callers))
        busy = (time.process_time() - used) / (time.monotonic() - began)
        late = figures.lateness(caller.call for caller in callers)
        echoes = [echo for caller in callers for echo in _echo_times_ms(caller)]
    return {
        "calls": calls,
        **{name: round(value, 2) for name, value in late._asdict().items()},
        "echo_p50_ms": round(float(np.percentile(echoes, 50)), 2),
        "echo_p99_ms": round(float(np.percentile(echoes, 99)), 2),
        "cpu_percent": round(100 * busy),
    }


async def _begin(network: PhoneNetwork, calls: int) -> list[Caller]:
    """Connect all calls, not in step with one another, as real ones are not."""
    callers = []
    for place in range(calls):
        caller = network.dial(_NUMBER, from_=f"+97250{place:07}")
        await caller.connected()
        callers.append(caller)
        await asyncio.sleep(mulaw.FRAME_S / 3)
    return callers


def _tone(seconds: float) -> bytes:
    """Loud on and off: 100 ms each, so that each echo's beginning can be told."""
    loud, quiet = b"\x10" * 5 * mulaw.FRAME_BYTES, mulaw.QUIET_FRAME * 5
    return (loud + quiet) * int(seconds / 0.2)


def _echo_times_ms(caller: Caller) -> list[float]:
    """From the frame's time to its echo's arrival, for each beginning of loudness."""
    arrivals = [arrival.at for arrival in caller.call.playback.arrivals if arrival.is_loud]
    # Five loud frames make a spell; a lost one would shift the rest and show as a time of 100 ms.
    return [
        1000 * (at - spell.start)
        for at, spell in zip(arrivals[::5], caller.call.line.microphone.loud, strict=False)
    ]


@click.command()
@click.option("--calls", default="1,20,50,100", show_default=True, help="Numbers of calls at once.")
@click.option("--seconds", default=10.0, show_default=True, help="How long each number is measured.")
@click.option("--serve-echo", is_flag=True, hidden=True)
def main(calls: str, seconds: float, serve_echo: bool) -> None:
    """Measure the simulator's own lateness."""
    keep_time()
    if serve_echo:
        uvloop.run(_serve_echo())
        return
    for count in calls.split(","):
        with _echo_server() as routes:
            click.echo(json.dumps(uvloop.run(_measure(routes, int(count), seconds))))


if __name__ == "__main__":
    main()

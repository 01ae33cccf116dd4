"""``talk`` and ``demo``: talk to a desk with the microphone of this computer."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import uvloop

from simulators.lab import LabError
from simulators.process import SimulatorError
from simulators.twilio import figures
from simulators.twilio.account import Account
from simulators.twilio.call import Call
from simulators.twilio.caller import Caller
from simulators.twilio.command_line import network_options, print_events, read_account, read_routes, sum_up
from simulators.twilio.network import PhoneNetwork, phone_network
from simulators.twilio.notices import SimulatorLimit
from simulators.twilio.stopwatch import keep_time
from simulators.twilio.talk_demo import QUESTIONS, demo_desk
from simulators.twilio.talk_handset import BrowserHandset
from simulators.twilio.talk_server import talk_page
from simulators.whatsapp_client import SimulatorError as WhatsAppError

_PORT_HELP = "Of the page, on 127.0.0.1; 0 takes a free one."
_SAVE_HELP = "A folder for both channels and the events of each call."
_EXAMPLE = """
\b
Example, a desk started with `make run` and PUBLIC_BASE_URL=https://desk.example:
  export TWILIO_ACCOUNT_SID=AC... TWILIO_AUTH_TOKEN=...
  python -m simulators.twilio talk https://desk.example/voice/incoming \\
    --status-url https://desk.example/voice/status \\
    --route https://desk.example=http://127.0.0.1:5000 \\
    --route wss://desk.example=ws://127.0.0.1:5050
"""


@dataclass(frozen=True)
class TalkPlan:
    """Which network the page's calls are placed on."""

    account: Account
    routes: dict[str, str]
    to: str
    from_: str
    port: int
    save: Path | None


@click.command(epilog=_EXAMPLE)
@network_options
@click.option("--port", default=8090, show_default=True, help=_PORT_HELP)
@click.option("--save", type=click.Path(path_type=Path), help=_SAVE_HELP)
def talk(*, routes: tuple[str, ...], from_: str, port: int, save: Path | None, **account: Any) -> None:
    """Serve a page that calls VOICE_URL with this computer's microphone, as Twilio would.

    What happens in a call is printed as it happens. Ctrl-C ends it.
    """
    plan = TalkPlan(read_account(**account), read_routes(routes), account["to"], from_, port, save)
    _run(plan)


@click.command()
@click.option("--port", default=8090, show_default=True, help=_PORT_HELP)
@click.option("--save", type=click.Path(path_type=Path), help=_SAVE_HELP)
@click.argument("questions", nargs=-1)
def demo(port: int, save: Path | None, questions: Sequence[str]) -> None:
    """The same with a scratch desk, a model and Google's services, all simulated on this machine.

    The simulated recogniser knows no words: whatever you say it takes for the next of QUESTIONS, over and
    over. The simulated voice speaks in vowels.
    """
    click.echo("Starting a scratch desk with everything around it ...")
    try:
        with demo_desk(questions or QUESTIONS) as desk:
            _run(TalkPlan(desk.account, desk.routes, desk.number, desk.caller, port, save))
    except (LabError, SimulatorError, WhatsAppError) as error:
        raise click.ClickException(str(error)) from None


def _run(plan: TalkPlan) -> None:
    """Serve the page until the command is ended.

    Raises:
        click.ClickException: the page cannot be served, or a call needed what the simulator cannot do.
    """
    keep_time()
    try:
        uvloop.run(_serve(plan))
    except SimulatorLimit as limit:
        raise click.ClickException(str(limit)) from None


async def _serve(plan: TalkPlan) -> None:
    """Until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(phone_network(plan.account, plan.routes))
        calls = _PrintedCalls(network, plan)
        try:
            url = await stack.enter_async_context(talk_page(calls.place, calls.ended, plan.port))
        except OSError:
            advice = f"127.0.0.1:{plan.port} cannot be listened on: choose another port with --port"
            raise click.ClickException(advice) from None
        click.echo(f"Open {url} and press Call. Ctrl-C ends this.")
        await stop.wait()


class _PrintedCalls:
    """Places calls, prints what happens in them, and saves them."""

    def __init__(self, network: PhoneNetwork, plan: TalkPlan) -> None:
        self._network = network
        self._plan = plan
        self._printing: set[asyncio.Task[None]] = set()

    def place(self, handset: BrowserHandset) -> Caller:
        """A call from the page."""
        caller = self._network.dial(self._plan.to, from_=self._plan.from_, handset=handset)
        click.echo(f"call {caller.call.sid}")
        printing = asyncio.create_task(print_events(caller.call))
        self._printing.add(printing)
        printing.add_done_callback(self._printing.discard)
        return caller

    def ended(self, call: Call) -> None:
        """It is over."""
        sum_up(call)
        if self._plan.save is not None:
            figures.save(call, self._plan.save / call.sid)

"""The phone network by hand: ``python -m simulators.twilio --help``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import uvloop

from simulators.twilio import figures
from simulators.twilio.account import Account
from simulators.twilio.caller import Caller, CallerWaitedInVain
from simulators.twilio.command_line import network_options, print_events, read_account, read_routes, sum_up
from simulators.twilio.network import phone_network
from simulators.twilio.steps import STEPS, Step, WrongStep, read_steps
from simulators.twilio.stopwatch import keep_time
from simulators.twilio.talk_command import demo, talk

_EPILOG = "\b\nSteps, in the order in which they are given:\n" + "\n".join(
    f"  {name:<24}{meaning}" for name, meaning in STEPS.items()
)
_EXAMPLE = """

\b
Example, a desk started with `make run` and PUBLIC_BASE_URL=https://desk.example:
  export TWILIO_ACCOUNT_SID=AC... TWILIO_AUTH_TOKEN=...
  python -m simulators.twilio https://desk.example/voice/incoming \\
    --route https://desk.example=http://127.0.0.1:5000 \\
    --route wss://desk.example=ws://127.0.0.1:5050 \\
    connected listen "say:Do you have parking?" listen press:0 end --save /tmp/call
"""


class _Commands(click.Group):
    """Without the name of a command a call is placed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help"):
            args = ["call", *args]
        return super().parse_args(ctx, args)


@dataclass(frozen=True)
class _Plan:
    account: Account
    routes: dict[str, str]
    to: str
    from_: str
    steps: Sequence[Step]
    save: Path | None


@click.group(cls=_Commands)
def main() -> None:
    """A simulated phone network, toward a desk that runs.

    Without a command, `call` is meant.
    """


@main.command(epilog=_EPILOG + _EXAMPLE)
@network_options
@click.argument("steps", nargs=-1)
@click.option("--save", type=click.Path(path_type=Path), help="A folder for both channels and the events.")
def call(
    *, routes: tuple[str, ...], from_: str, steps: tuple[str, ...], save: Path | None, **account: Any
) -> None:
    """Call VOICE_URL as Twilio would, do STEPS, hang up, and print what happened as it happens.

    Times are seconds of the call. The exit code is 1 if a step waited in vain or Twilio would show an error.
    """
    try:
        doing = read_steps(steps)
    except WrongStep as error:
        raise click.UsageError(str(error)) from None
    plan = _Plan(read_account(**account), read_routes(routes), account["to"], from_, doing, save)
    keep_time()
    sys.exit(uvloop.run(_place(plan)))


async def _place(plan: _Plan) -> int:
    async with phone_network(plan.account, plan.routes) as network:
        caller = network.dial(plan.to, from_=plan.from_)
        printing = asyncio.create_task(print_events(caller.call))
        complaint = await _act(caller, plan.steps)
        await printing
        if plan.save is not None:
            figures.save(caller.call, plan.save)
        sum_up(caller.call)
        if complaint:
            click.echo(complaint, err=True)
        return int(bool(complaint) or any(notice.level == "error" for notice in caller.call.notices))


async def _act(caller: Caller, steps: Sequence[Step]) -> str:
    """Do *steps* and hang up; returns what was waited for in vain."""
    try:
        for step in steps:
            await step(caller)
    except CallerWaitedInVain as complaint:
        return str(complaint)
    finally:
        await caller.hang_up()
    return ""


main.add_command(talk)
main.add_command(demo)


if __name__ == "__main__":
    main()

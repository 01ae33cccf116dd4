"""What the commands of the phone network have in common: their options, and what they print."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

import click

from simulators.twilio import figures
from simulators.twilio.account import Account, Number, Outcome, Party
from simulators.twilio.call import Call

_PARTY_HELP = "Who is dialled: answered, busy, no-answer or failed."
_PARTY_TALKS_S = 5.0
_OUTCOMES: dict[str, Outcome] = {name: name for name in get_args(Outcome)}

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("voice_url"),
    click.option(
        "--route", "routes", multiple=True, metavar="PUBLIC=REAL", help="Where a public origin leads."
    ),
    click.option("--to", default="+97231234567", show_default=True, help="The number that is called."),
    click.option("--from", "from_", default="+972501234567", show_default=True, help="The caller's number."),
    click.option("--status-url", default="", help="Is told that the call has ended."),
    click.option("--fallback-url", default="", help="Is asked when VOICE_URL fails."),
    click.option("--account-sid", envvar="TWILIO_ACCOUNT_SID", required=True, help="Or TWILIO_ACCOUNT_SID."),
    click.option("--auth-token", envvar="TWILIO_AUTH_TOKEN", required=True, help="Or TWILIO_AUTH_TOKEN."),
    click.option("--party", "parties", multiple=True, metavar="NAME=OUTCOME", help=_PARTY_HELP),
)


def network_options(command: Command) -> Command:
    """VOICE_URL, and the options that say which network calls it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_account(
    *,
    voice_url: str,
    to: str,
    status_url: str,
    fallback_url: str,
    account_sid: str,
    auth_token: str,
    parties: Sequence[str],
) -> Account:
    """The account that *to* belongs to.

    Raises:
        click.UsageError: a party is none.
    """
    number = Number(voice_url=voice_url, status_callback=status_url, fallback_url=fallback_url)
    return Account(
        auth_token,
        account_sid=account_sid,
        numbers={to: number},
        parties=_read_parties(parties),
        # The desk remembers the calls of earlier runs by their ids.
        seed=secrets.randbits(64),
    )


def read_routes(written: Sequence[str]) -> dict[str, str]:
    """Where public origins lead.

    Raises:
        click.UsageError: one of them is no pair of origins.
    """
    routes: dict[str, str] = {}
    for one in written:
        public, separator, real = one.partition("=")
        if not separator or "://" not in public or "://" not in real:
            raise click.UsageError(f"--route {one}: give PUBLIC=REAL, two origins such as wss://a=ws://b:1")
        routes[public] = real
    return routes


async def print_events(call: Call) -> None:
    """Print what happens, as it happens, to the end of the call."""
    async for event in call.follow():
        click.echo(str(event))


def sum_up(call: Call) -> None:
    """Print what the call sounded like."""
    for silence in figures.dead_air(call, 2.0):
        click.echo(f"dead air from {silence.start:.3f} to {silence.end:.3f}")
    if call.line.lateness_s:
        late = figures.lateness([call])
        click.echo(f"{late.frames} frames sent, late p99 {late.p99_ms:.1f} ms, at most {late.max_ms:.1f} ms")


def _read_parties(written: Sequence[str]) -> dict[str, Party]:
    parties: dict[str, Party] = {}
    for one in written:
        name, _, outcome = one.rpartition("=")
        if not name or outcome not in _OUTCOMES:
            raise click.UsageError(f"--party {one}: give NAME=OUTCOME, one of {', '.join(_OUTCOMES)}")
        parties[name] = Party(outcome=_OUTCOMES[outcome], talks_s=_PARTY_TALKS_S)
    return parties

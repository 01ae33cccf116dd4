"""The realtime process: ``python -m server.realtime.main``. Streams and sockets, beside a desk of its own."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

import structlog
import uvloop

from server.channels.chat_messages import ChatMessages, configured_models
from server.channels.chat_streams import ChatStreams
from server.channels.key_limits import make_key_limits
from server.channels.twilio_signature import TwilioSignatures
from server.channels.twiml import STREAM_PATH
from server.console.live import TEST_CALL_PATH
from server.console.sessions import SessionCookies, Sessions
from server.desk import DRAIN_S, Desk
from server.errors import AppError, SettingsError, StoreUnavailable
from server.observability.logs import configure_logging
from server.observability.multiprocess import share
from server.observability.performance import Sources, performance_snapshot
from server.ports.speech import Speech
from server.realtime.app import RealtimeParts, make_app
from server.realtime.callers import Callers
from server.realtime.doors import Door, StaffDoor, TwilioDoor, UserOf
from server.realtime.server import RealtimeServer, listen
from server.realtime.sockets import OpenSockets
from server.realtime.staff_streams import StaffStreams
from server.realtime.staff_watch import mark_of
from server.realtime.voice_socket import VoiceParts
from server.secret_files import session_key
from server.settings import Settings, read_settings
from server.store.changes import Changes
from server.store.migrate import is_current
from server.store.needs import Needs
from server.store.session import Database
from server.store.users import User, Users
from server.voice.call import CallParts
from server.voice.lines import prepared_lines
from server.voice.vad import Detectors
from server.wiring import real_ports

# A word waits for the interpreter behind turns, but not for the 5 ms that Python would let it wait.
SWITCH_S = 0.0005
# Calls that come at once find what hears voices made already; each takes 9.5 MB.
READY_DETECTORS = 2

log = structlog.get_logger(__name__)


def main() -> None:
    """Serve until SIGTERM or SIGINT; what cannot work is said in one sentence."""
    try:
        serve(read_settings())
    except AppError as error:
        sys.exit(f"frontdesk: {error}")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; answers under way end first.

    Raises:
        CommandError: the port is taken.
        SettingsError: the database is behind.
    """
    sys.setswitchinterval(SWITCH_S)
    configure_logging(settings.log_level)
    share(settings.data_dir)
    stop = _stop_signal()
    database = Database(settings.database)
    # A database that is not up yet is waited for by /readyz.
    with suppress(StoreUnavailable):
        if not is_current(database):
            raise SettingsError("the database is not up to date: run `frontdesk migrate` first")
    listener = listen(settings.realtime_host, settings.realtime_port)
    ports = real_ports(settings, database)
    desk = Desk(settings, ports, make_loop=uvloop.new_event_loop, role="realtime")
    sockets = OpenSockets()
    server = RealtimeServer(make_app(_parts(settings, desk, database, sockets)), sockets, DRAIN_S)
    desk.start()
    serving = desk.submit(server.run(listener))
    # A server that has fallen over takes the process with it, for its supervisor to start another.
    serving.add_done_callback(lambda _: stop.set())
    # What is loaded by now stays: to look for garbage among it would stop everything for long.
    gc.collect()
    gc.freeze()
    log.info("realtime.started")
    stop.wait()
    if not serving.done():
        desk.submit(server.stop()).result()
    desk.stop()
    log.info("realtime.stopped")
    serving.result()


def _parts(settings: Settings, desk: Desk, database: Database, sockets: OpenSockets) -> RealtimeParts:
    limits = make_key_limits(settings.api_calls_per_minute, settings.redis)
    figures = Sources(desk.ports.performance, desk.watch, desk.ports.clock)
    return RealtimeParts(
        callers=Callers(desk.ports.keys, limits),
        streams=ChatStreams(desk.answers, ChatMessages(configured_models(settings))),
        sockets=sockets,
        snapshot=partial(performance_snapshot, figures),
        check_store=desk.ports.check_store,
        voice=_voice(settings, desk, database),
        staff=_staff(settings, desk, database, sockets),
        is_core_running=lambda: desk.is_running,
    )


def _staff(settings: Settings, desk: Desk, database: Database, sockets: OpenSockets) -> StaffStreams:
    clock = desk.ports.clock
    return StaffStreams(
        user_of=_user_of(settings, desk, database),
        mark_of=mark_of(Changes(database, clock), Needs(database)),
        sockets=sockets,
        hosts=_public_hosts(settings),
    )


def _user_of(settings: Settings, desk: Desk, database: Database) -> UserOf:
    """Whose session a cookie of the console is."""
    clock = desk.ports.clock
    sessions, cookies = Sessions(Users(database, clock), clock), SessionCookies(session_key(settings))

    def user_of(cookie: str) -> User | None:
        return sessions.user_of(cookies.held_by(cookie))

    return user_of


def _public_hosts(settings: Settings) -> Sequence[str]:
    """Names under which the console is known, beside those that requests name themselves."""
    public = urlsplit(settings.public_base_url).hostname
    return [] if public is None else [public]


def _voice(settings: Settings, desk: Desk, database: Database) -> VoiceParts | None:
    speech = desk.ports.speech
    if speech is None:
        return None
    parts = CallParts(stt=speech.to_text, tts=speech.from_text, detectors=Detectors(), asking=desk.asking)
    if settings.has_phone:
        desk.submit(_warm(desk, speech, parts.detectors))
    return VoiceParts(
        doors=_doors(settings, _user_of(settings, desk, database)),
        calls=desk.ports.calls,
        recorded=desk.recorded,
        parts=parts,
        drain_s=settings.call_drain_s,
        most_calls=settings.calls_at_once,
    )


def _doors(settings: Settings, user_of: UserOf) -> Mapping[str, Door]:
    doors: dict[str, Door] = {TEST_CALL_PATH: StaffDoor(user_of, _public_hosts(settings))}
    token = settings.twilio_auth_token
    if token is not None and settings.has_phone:
        signatures = TwilioSignatures(token.get_secret_value(), settings.public_base_url)
        doors[STREAM_PATH] = TwilioDoor(signatures, settings.twilio_account_sid)
    return doors


async def _warm(desk: Desk, speech: Speech, detectors: Detectors) -> None:
    """Load what the first caller would otherwise wait for."""
    try:
        await asyncio.to_thread(detectors.prepare, READY_DETECTORS)
        await asyncio.gather(speech.to_text.warm(), speech.from_text.warm())
        tenants = await asyncio.to_thread(desk.ports.tenants.all)
        lines = [
            one
            for tenant in tenants
            if tenant.settings.phone_numbers
            for one in prepared_lines(tenant.settings)
        ]
        await speech.from_text.prepare(lines)
    except AppError as error:
        log.warning("voice.not_warmed", error=type(error).__name__)


def _stop_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    main()

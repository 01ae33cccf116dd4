"""One of each port: what the application is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from server.domain.messages import Channel
from server.ports.ai import Embedder, LanguageModel
from server.ports.alerts import AlertStore
from server.ports.clock import Clock
from server.ports.conversations import ConversationLog, ModeStore
from server.ports.knowledge import KnowledgeStore
from server.ports.messaging import ChannelSender, LineHealth, PresenceSender
from server.ports.queue import TurnQueue
from server.ports.store import (
    IdentityStore,
    InboxStore,
    KeyStore,
    LeaseStore,
    OutboxStore,
    ReplyStore,
    TenantStore,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Made by wiring.py, or by a test from fakes. ``model`` is None where none is configured."""

    clock: Clock
    tenants: TenantStore
    inbox: InboxStore
    replies: ReplyStore
    outbox: OutboxStore
    identities: IdentityStore
    modes: ModeStore
    log: ConversationLog
    leases: LeaseStore
    keys: KeyStore
    knowledge: KnowledgeStore
    embedder: Embedder
    model: LanguageModel | None
    senders: Mapping[Channel, ChannelSender]
    presence: PresenceSender
    alerts: AlertStore
    lines: LineHealth
    # Carries conversations to workers; None: each process takes the turns of what it received.
    conversations: TurnQueue | None = None
    # Raises StoreUnavailable when the database does not answer.
    check_store: Callable[[], None]
    close: Callable[[], None]

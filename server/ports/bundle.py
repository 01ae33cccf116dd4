"""One of each port: what the application is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from server.domain.messages import Channel
from server.ports.accounts import BudgetNotices, ModelLedger
from server.ports.ai import Embedder, ModelSet
from server.ports.alerts import AlertStore
from server.ports.calls import CallLog, CallStore
from server.ports.clock import Clock
from server.ports.conversations import ConversationLog, ModeStore
from server.ports.drafts import DraftStore
from server.ports.knowledge import KnowledgeStore
from server.ports.media import MediaShelf, MediaSource
from server.ports.messaging import ChannelSender, LineHealth, PresenceSender
from server.ports.performance import PerformanceStore, PoolState
from server.ports.queue import TurnQueue
from server.ports.recordings import RecordingShelf, RecordingStore
from server.ports.reminders import ReminderStore
from server.ports.reports import MorningReportStore
from server.ports.speech import Speech, Transcriber
from server.ports.store import (
    IdentityStore,
    InboxStore,
    KeyStore,
    LeaseStore,
    OutboxStore,
    ReplyStore,
    TenantStore,
    TurnStore,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Made by wiring.py, or by a test from fakes. ``models`` is None where none is configured."""

    clock: Clock
    tenants: TenantStore
    inbox: InboxStore
    replies: ReplyStore
    turns: TurnStore
    outbox: OutboxStore
    identities: IdentityStore
    modes: ModeStore
    drafts: DraftStore
    log: ConversationLog
    leases: LeaseStore
    keys: KeyStore
    knowledge: KnowledgeStore
    embedder: Embedder
    models: ModelSet | None
    calls: CallStore
    call_log: CallLog
    recordings: RecordingStore
    recording_shelf: RecordingShelf
    # Hears and speaks on calls; None where neither a phone line nor speech is configured.
    speech: Speech | None
    # Turns voice messages into words; None where no speech recognition is configured.
    transcriber: Transcriber | None = None
    media: MediaSource
    shelf: MediaShelf
    ledger: ModelLedger
    budget_notices: BudgetNotices
    senders: Mapping[Channel, ChannelSender]
    presence: PresenceSender
    alerts: AlertStore
    morning_reports: MorningReportStore
    reminders: ReminderStore
    lines: LineHealth
    # Carries conversations to workers; None: each process takes the turns of what it received.
    conversations: TurnQueue | None = None
    # Raises StoreUnavailable when the database does not answer.
    check_store: Callable[[], None]
    performance: PerformanceStore
    # Tells operators of an alert; None where they have named no address.
    report: Callable[[Mapping[str, object], str], None] | None = None
    # The connections that are kept, by what they lead to.
    pools: Mapping[str, Callable[[], PoolState]] = field(default_factory=dict)
    close: Callable[[], None]

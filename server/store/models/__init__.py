"""Tables. Times are aware UTC; ids of WhatsApp are the sender's and unique only within a chat."""

from server.store.models.base import Base, Json, RowId, UtcDateTime, table_of
from server.store.models.calls import CallRow, RecordingRow
from server.store.models.conversations import (
    ConversationEventRow,
    ConversationRow,
    GuestRow,
    InboundRow,
    LeaseRow,
    OutboxRow,
    TenantRow,
    TurnRow,
)
from server.store.models.knowledge import DocumentRow, VectorRow
from server.store.models.numbers import LineReportRow, WhatsAppEntryRow, WhatsAppNumberRow, WhatsAppSidecarRow
from server.store.models.spending import ModelCallRow, RateBucketRow, SpendRow
from server.store.models.staff import (
    ApiKeyRow,
    AuditRow,
    CannedReplyRow,
    DraftRow,
    LabelRow,
    NoteRow,
    QuestionRow,
    UserRow,
)

__all__ = [
    "ApiKeyRow",
    "AuditRow",
    "Base",
    "CallRow",
    "CannedReplyRow",
    "ConversationEventRow",
    "ConversationRow",
    "DocumentRow",
    "DraftRow",
    "GuestRow",
    "InboundRow",
    "Json",
    "LabelRow",
    "LeaseRow",
    "LineReportRow",
    "ModelCallRow",
    "NoteRow",
    "OutboxRow",
    "QuestionRow",
    "RateBucketRow",
    "RecordingRow",
    "RowId",
    "SpendRow",
    "TenantRow",
    "TurnRow",
    "UserRow",
    "UtcDateTime",
    "VectorRow",
    "WhatsAppEntryRow",
    "WhatsAppNumberRow",
    "WhatsAppSidecarRow",
    "table_of",
]

"""What staff did that others may ask about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from server.domain.modes import Actor
from server.store.models import AuditRow


def add_audit(
    session: Session,
    tenant_id: str,
    actor: Actor,
    action: str,
    subject: str,
    now: datetime,
    **details: object,
) -> None:
    """Note it, in the transaction that does it. *details* hold no words of a guest's, and no secret."""
    session.add(
        AuditRow(
            tenant_id=tenant_id, actor=str(actor), action=action, subject=subject, details=details, at=now
        )
    )

"""The webhook of the WhatsApp sidecar: judged, saved and acknowledged before any AI runs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from flask import Blueprint, Request, request

from server.channels.baileys import Ignored, Rejected, read_message
from server.channels.bodies import json_object
from server.domain.messages import DeliveryState, InboundMessage
from server.errors import Unauthenticated, UnprocessableRequest
from server.inbox.receive import Receiver
from server.ports.queue import WorkQueue
from server.ports.store import OutboxStore, Saved

_RECEIPT_STATES = {
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "failed": DeliveryState.FAILED,
}

log = structlog.get_logger(__name__)


def whatsapp_blueprint(receiver: Receiver, outbox: OutboxStore, lanes: WorkQueue, secret: str) -> Blueprint:
    """``/webhook/whatsapp/incoming`` and ``/webhook/whatsapp/status``."""
    blueprint = Blueprint("whatsapp", __name__, url_prefix="/webhook/whatsapp")

    @blueprint.before_request
    def check_secret() -> None:
        _verify_secret(request, secret)

    @blueprint.post("/incoming")
    def incoming() -> dict[str, Any]:
        tenant_id, payload = _envelope(json_object(request))
        batch = Batch.read(tenant_id, payload.get("messages"))
        verdict = batch.verdict(receiver.receive(tenant_id, batch.messages))
        log.info("whatsapp.received", tenant=tenant_id, **verdict | {"rejected": len(batch.rejected)})
        return verdict

    @blueprint.post("/status")
    def status() -> dict[str, Any]:
        tenant_id, payload = _envelope(json_object(request))
        known = sum(_record_receipt(outbox, tenant_id, receipt) for receipt in _receipts(payload))
        connection = payload.get("connection")
        if isinstance(connection, Mapping):
            log.info("whatsapp.connection", tenant=tenant_id, state=str(connection.get("state"))[:32])
            if connection.get("state") == "open":
                for lane in outbox.wake_tenant(tenant_id):
                    lanes.put(lane)
        return {"known": known}

    return blueprint


@dataclass(frozen=True, slots=True)
class Batch:
    """A webhook's messages, each judged."""

    messages: Sequence[InboundMessage]
    ignored: int
    rejected: Sequence[Rejected]

    @classmethod
    def read(cls, tenant_id: str, raw: object) -> Batch:
        """Judge each of *raw*.

        Raises:
            UnprocessableRequest: it is no list.
        """
        if not isinstance(raw, list):
            raise UnprocessableRequest("payload.messages must be a list of WhatsApp messages")
        verdicts = [read_message(tenant_id, message) for message in raw]
        return cls(
            messages=[verdict for verdict in verdicts if isinstance(verdict, InboundMessage)],
            ignored=sum(isinstance(verdict, Ignored) for verdict in verdicts),
            rejected=[verdict for verdict in verdicts if isinstance(verdict, Rejected)],
        )

    def verdict(self, saved: Sequence[Saved]) -> dict[str, Any]:
        """How many messages met which fate, as the contract has it."""
        accepted = sum(row.is_new for row in saved)
        return {
            "accepted": accepted,
            "duplicates": len(saved) - accepted,
            "ignored": self.ignored,
            "rejected": [{"id": bad.id, "why": bad.why} for bad in self.rejected],
        }


def _verify_secret(incoming: Request, secret: str) -> None:
    given = incoming.headers.get("X-Internal-Secret", "")
    # Hashes are of one length, so that the time tells nothing about the secret's.
    if not hmac.compare_digest(_hash(given), _hash(secret)):
        raise Unauthenticated("X-Internal-Secret is missing or wrong")


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _envelope(body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    tenant_id, payload = body.get("tenantId"), body.get("payload")
    if not isinstance(tenant_id, str) or not tenant_id:
        raise UnprocessableRequest('tenantId must be a text such as "1"')
    if not isinstance(payload, Mapping):
        raise UnprocessableRequest("payload must be an object")
    return tenant_id, payload


def _receipts(payload: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    receipts = payload.get("receipts", [])
    if not isinstance(receipts, list) or not all(isinstance(receipt, Mapping) for receipt in receipts):
        raise UnprocessableRequest("payload.receipts must be a list of objects with id, status and at")
    return receipts


def _record_receipt(outbox: OutboxStore, tenant_id: str, receipt: Mapping[str, Any]) -> bool:
    message_id, at = receipt.get("id"), receipt.get("at")
    state = _RECEIPT_STATES.get(str(receipt.get("status")))
    if not isinstance(message_id, str) or state is None:
        raise UnprocessableRequest("a receipt needs an id and a status of sent, delivered, read or failed")
    try:
        moment = datetime.fromtimestamp(float(at) / 1000, UTC)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        raise UnprocessableRequest("a receipt's at must be milliseconds since 1970") from None
    code = receipt.get("code")
    return outbox.record_receipt(tenant_id, message_id, state, moment, f"code {code}" if code else "")

"""The webhook of the WhatsApp sidecar: judged, saved and acknowledged before any AI runs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Blueprint, Request, request

from server.channels.baileys import Ignored, Rejected, read_message
from server.channels.bodies import json_object
from server.channels.whatsapp_status import StatusReports
from server.domain.messages import Channel, InboundMessage
from server.errors import Unauthenticated, UnprocessableRequest
from server.inbox.receive import Receiver
from server.observability.metrics import MESSAGES
from server.ports.store import Saved

_PREFIX = "/webhook/whatsapp"
INCOMING_PATH = f"{_PREFIX}/incoming"

log = structlog.get_logger(__name__)


def whatsapp_blueprint(receiver: Receiver, reports: StatusReports, secret: str) -> Blueprint:
    """``/webhook/whatsapp/incoming`` and ``/webhook/whatsapp/status``."""
    blueprint = Blueprint("whatsapp", __name__, url_prefix=_PREFIX)

    @blueprint.before_request
    def check_secret() -> None:
        _verify_secret(request, secret)

    @blueprint.post("/incoming")
    def incoming() -> dict[str, Any]:
        tenant_id, payload = _envelope(json_object(request))
        batch = Batch.read(tenant_id, payload.get("messages"))
        verdict = batch.verdict(receiver.receive(tenant_id, batch.messages))
        _count(verdict)
        log.info("whatsapp.received", tenant=tenant_id, **verdict | {"rejected": len(batch.rejected)})
        return verdict

    @blueprint.post("/status")
    def status() -> dict[str, Any]:
        tenant_id, payload = _envelope(json_object(request))
        return {"known": reports.take(tenant_id, payload)}

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


def _count(verdict: Mapping[str, Any]) -> None:
    counts = {
        "accepted": verdict["accepted"],
        "duplicate": verdict["duplicates"],
        "ignored": verdict["ignored"],
        "rejected": len(verdict["rejected"]),
    }
    for name, count in counts.items():
        if count:
            MESSAGES.inc(count, channel=Channel.WHATSAPP, verdict=name)


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

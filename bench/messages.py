"""Webhook bodies as the sidecar posts them, from many guests."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence

TENANT = "1"
# Asked in turn: some a shortcut answers, most the demo business's documents do.
QUESTIONS = (
    "What time is check-in?",
    "Do you have parking?",
    "How much is the breakfast, please?",
    "יש חניה במקום?",
    "Is smoking allowed on the balcony?",
    "מתי הצ'ק-אאוט?",
    "Can I bring my dog?",
    "Hello!",
    "Is there Wi-Fi in the rooms?",
    "What is the cancellation policy?",
)


def webhook_bodies(count: int, guests: int, series: str) -> Sequence[str]:
    """*count* webhooks of one text each, *guests* taking turns to write; ids differ between *series*."""
    return [json.dumps(_text(number, guests, series), ensure_ascii=False) for number in range(count)]


def reaction_body(number: int) -> str:
    """A webhook of one reaction, which is saved and needs no answer."""
    reaction = {
        "reactionMessage": {"key": {"id": f"3EB0{number:014X}", "fromMe": True}, "text": "\N{THUMBS UP SIGN}"}
    }
    return json.dumps(_webhook(f"3EB0EE{number:012X}", guest=0, sequence=number, content=reaction))


def _text(number: int, guests: int, series: str) -> dict[str, object]:
    guest = number % guests
    question = QUESTIONS[(number // guests + guest) % len(QUESTIONS)]
    content = {"conversation": question, "messageContextInfo": {"deviceListMetadataVersion": 2}}
    return _webhook(f"3EB0{series}{number:012X}", guest=guest, sequence=number + 1, content=content)


def _webhook(
    message_id: str, *, guest: int, sequence: int, content: Mapping[str, object]
) -> dict[str, object]:
    message = {
        "key": {
            "remoteJid": f"{100_000_000_000 + guest}@lid",
            "remoteJidAlt": f"{972_500_000_000 + guest}@s.whatsapp.net",
            "fromMe": False,
            "id": message_id,
            "addressingMode": "lid",
        },
        "messageTimestamp": int(time.time()),
        "pushName": f"Guest {guest}",
        "broadcast": False,
        "status": 2,
        "message": content,
        "journal": {"sequence": sequence},
    }
    return {
        "event": "messages.upsert",
        "tenantId": TENANT,
        "payload": {"messages": [message], "type": "notify"},
    }

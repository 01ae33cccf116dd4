"""Ids that follow from what they stand for, so that doing a thing again finds the first time."""

from __future__ import annotations

import hashlib

# WhatsApp Web's own message ids look like this: a fixed start and eighteen hexadecimal digits.
_MESSAGE_ID_START = "3EB0"
_MESSAGE_ID_DIGITS = 18


def turn_id_for(tenant_id: str, conversation_id: int, first_message_id: int, provider_id: str) -> str:
    """The id of the turn whose oldest message is the inbound row *first_message_id*.

    Args:
        provider_id: the message's own. Numbers of rows begin again in a database that is made anew beside a
            link that has sent before, and under an id that it knows nothing would be sent.
    """
    return _digest("turn", tenant_id, str(conversation_id), str(first_message_id), provider_id)[:32]


def message_id_for(turn_id: str, kind: str, recipient: str) -> str:
    """The WhatsApp id of what a turn sends to one recipient."""
    digits = _digest("message", turn_id, kind, recipient)[:_MESSAGE_ID_DIGITS]
    return _MESSAGE_ID_START + digits.upper()


def _digest(*parts: str) -> str:
    # Lengths keep ("a", "bc") and ("ab", "c") apart.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()

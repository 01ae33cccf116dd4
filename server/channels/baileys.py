"""Reads Baileys' WAMessage JSON. Pure: one message in, one verdict out, whatever the guest's phone sent.

Source of the shapes: WAProto of baileys 7.0.0-rc14, and `normalizeMessageContent` for the wrappers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from server.domain.messages import MEDIA, Channel, GuestAddress, InboundMessage, MessageKind, Quoted

LONGEST_ID = 128
LONGEST_NAME = 128
# WhatsApp's own limit for a text.
LONGEST_TEXT = 65_536

_LID = "lid"
_PHONE_SERVERS = {"s.whatsapp.net", "c.us", "hosted"}
_IGNORED_SERVERS = {"g.us", "broadcast", "newsletter", "call", "bot"}
_WRAPPERS = (
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "documentWithCaptionMessage",
    "editedMessage",
)
_MOST_WRAPPERS = 5
# They say nothing to anybody: keys, settings, deletions.
_SILENT = {
    "protocolMessage",
    "senderKeyDistributionMessage",
    "messageContextInfo",
    "pollUpdateMessage",
    "keepInChatMessage",
    "deviceSentMessage",
}

# What is kept for staff, and all that WhatsApp's own download takes.
_MEDIA = {"imageMessage", "videoMessage", "audioMessage", "documentMessage"}
_MEDIA_FIELDS = (
    "url", "directPath", "mediaKey", "mediaKeyTimestamp", "mimetype", "fileSha256", "fileEncSha256",
    "fileLength", "seconds", "ptt",
)  # fmt: skip
_KEY_FIELDS = ("remoteJid", "remoteJidAlt", "fromMe", "id")
_LONGEST_MEDIA_FIELD = 2_048


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing that a guest said to this business: a group, a status, a protocol message."""

    why: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Cannot be read; ``id`` is the message's own, where it has one."""

    id: str | None
    why: str


class _Unreadable(ValueError):
    """Says what is wrong with a message."""


def read_message(tenant_id: str, raw: object) -> InboundMessage | Ignored | Rejected:
    """Judge one WAMessage."""
    if not isinstance(raw, Mapping):
        return Rejected(None, "a message must be an object")
    key = raw.get("key")
    if not isinstance(key, Mapping):
        return Rejected(None, "key is missing: an object with remoteJid, fromMe and id")
    provider_id = key.get("id")
    if not isinstance(provider_id, str) or not 0 < len(provider_id) <= LONGEST_ID or "\x00" in provider_id:
        return Rejected(None, f"key.id must be a text of 1 to {LONGEST_ID} characters")
    try:
        return _read(tenant_id, raw, key, _clean(provider_id))
    except _Unreadable as fault:
        return Rejected(_clean(provider_id), str(fault))


def _read(
    tenant_id: str, raw: Mapping[str, Any], key: Mapping[str, Any], provider_id: str
) -> InboundMessage | Ignored:
    address = _address(raw, key)
    if address is None:
        return Ignored("not a chat with one guest")
    from_me = key.get("fromMe", False)
    if not isinstance(from_me, bool):
        raise _Unreadable("key.fromMe must be true or false")
    content = raw.get("message")
    if content is None:
        if raw.get("messageStubType") is not None:
            return Ignored("a stub without content")
        raise _Unreadable('message is missing: the content, such as {"conversation": "..."}')
    if not isinstance(content, Mapping):
        raise _Unreadable("message must be an object")
    found = _content(_unwrap(content))
    if found is None:
        return Ignored("a protocol message")
    name, node = found
    kind, text, details = _READERS.get(name, _other)(name, node)
    if (media := _media(key, name, node)) is not None:
        details = {**details, MEDIA: media}
    return InboundMessage(
        tenant_id=tenant_id,
        channel=Channel.WHATSAPP,
        address=address,
        provider_id=provider_id,
        kind=kind,
        text=text,
        sent_at=_timestamp(raw.get("messageTimestamp")),
        from_me=from_me,
        sequence=_sequence(raw),
        quoted=_quoted(node),
        details=details,
    )


def _address(raw: Mapping[str, Any], key: Mapping[str, Any]) -> GuestAddress | None:
    remote = key.get("remoteJid")
    if not isinstance(remote, str) or not remote:
        raise _Unreadable("key.remoteJid must be the chat's address, such as 972501234567@s.whatsapp.net")
    user, server = _split(remote)
    if server in _IGNORED_SERVERS:
        return None
    if server != _LID and server not in _PHONE_SERVERS:
        raise _Unreadable("key.remoteJid is no WhatsApp address: it must end in @s.whatsapp.net or @lid")
    reply_to = f"{user}@{_LID}" if server == _LID else f"{user}@s.whatsapp.net"
    names = {reply_to}
    for other in (key.get("remoteJidAlt"), key.get("senderPn"), key.get("senderLid")):
        if isinstance(other, str) and "@" in other:
            other_user, other_server = _split(other)
            if other_server == _LID:
                names.add(f"{other_user}@{_LID}")
            elif other_server in _PHONE_SERVERS:
                names.add(f"{other_user}@s.whatsapp.net")
    push_name = raw.get("pushName")
    # What the business itself wrote carries the business's name, not the guest's.
    is_guests = isinstance(push_name, str) and not key.get("fromMe")
    return GuestAddress(
        reply_to=reply_to,
        lid=min((name for name in names if name.endswith("@lid")), default=None),
        phone=min((name for name in names if not name.endswith("@lid")), default=None),
        name=_clean(str(push_name))[:LONGEST_NAME] or None if is_guests else None,
    )


def _split(jid: str) -> tuple[str, str]:
    """User and server of a JID; the number of the device is left out."""
    user, _, server = jid.rpartition("@")
    user = user.partition(":")[0].partition("_")[0]
    is_sound = user and len(user) <= 32 and all(c.isascii() and (c.isalnum() or c in "-.") for c in user)
    if server in _IGNORED_SERVERS:
        return user, server
    if not is_sound:
        raise _Unreadable("key.remoteJid is no WhatsApp address: digits must stand before the @")
    return user, server


def _unwrap(content: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(_MOST_WRAPPERS):
        inner = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), Mapping)), None)
        if inner is None or not isinstance(inner.get("message"), Mapping):
            return content
        content = inner["message"]
    return content


def _content(content: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Name and node of what is said; None if nothing is."""
    for name, node in content.items():
        if node is not None and name not in _SILENT:
            return name, node
    return None


def _plain(_name: str, node: Any) -> tuple[MessageKind, str, dict[str, object]]:
    text = node if isinstance(node, str) else _field(node, "text")
    if text is None:
        raise _Unreadable("the text of the message must be a text")
    return MessageKind.TEXT, _clean(text), {}


def _captioned(name: str, node: Any) -> tuple[MessageKind, str, dict[str, object]]:
    kind = MessageKind(name.removesuffix("Message"))
    details = {"mime_type": _field(node, "mimetype"), "file_name": _field(node, "fileName")}
    return kind, _clean(_field(node, "caption") or ""), _present(details)


def _wordless(name: str, node: Any) -> tuple[MessageKind, str, dict[str, object]]:
    return MessageKind(name.removesuffix("Message")), "", _present({"mime_type": _field(node, "mimetype")})


def _media(key: Mapping[str, Any], name: str, node: Any) -> dict[str, object] | None:
    """The message as far as its media are fetched by it; None if there is nothing to fetch."""
    if name not in _MEDIA or not isinstance(node, Mapping):
        return None
    named = _scalars(node, _MEDIA_FIELDS)
    # By a path that begins otherwise the download would go to another host.
    is_within = str(named.get("directPath", "/")).startswith("/")
    if "mediaKey" not in named or not is_within or not ("directPath" in named or "url" in named):
        return None
    return {"key": _scalars(key, _KEY_FIELDS), "message": {name: named}}


def _scalars(node: Mapping[str, Any], names: Sequence[str]) -> dict[str, object]:
    """Those of the fields that are short texts, numbers or yes and no."""
    found: dict[str, object] = {}
    for name in names:
        value = node.get(name)
        if isinstance(value, str) and len(value) <= _LONGEST_MEDIA_FIELD:
            found[name] = _clean(value)
        elif isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63):
            found[name] = value
    return found


def _reaction(_name: str, node: Any) -> tuple[MessageKind, str, dict[str, object]]:
    target = node.get("key") if isinstance(node, Mapping) else None
    return MessageKind.REACTION, _clean(_field(node, "text") or ""), _present({"to": _field(target, "id")})


def _location(_name: str, node: Any) -> tuple[MessageKind, str, dict[str, object]]:
    if not isinstance(node, Mapping):
        raise _Unreadable("the location must be an object")
    details: dict[str, object] = {}
    for ours, theirs in (("latitude", "degreesLatitude"), ("longitude", "degreesLongitude")):
        value = node.get(theirs)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 180:
            details[ours] = float(value)
    details |= _present({"name": _field(node, "name"), "address": _field(node, "address")})
    return MessageKind.LOCATION, "", details


def _contact(_name: str, node: Any) -> tuple[MessageKind, str, dict[str, object]]:
    cards = node.get("contacts") if isinstance(node, Mapping) else None
    names = [_field(card, "displayName") for card in (cards if isinstance(cards, list) else [node])]
    return MessageKind.CONTACT, "", {"names": [_clean(name) for name in names if name]}


def _choice(_name: str, node: Any) -> tuple[MessageKind, str, dict[str, object]]:
    for name in ("selectedDisplayText", "title", "selectedId"):
        chosen = _field(node, name)
        if chosen:
            return MessageKind.TEXT, _clean(chosen), {}
    return MessageKind.OTHER, "", {"type": "choice"}


def _other(name: str, _node: Any) -> tuple[MessageKind, str, dict[str, object]]:
    return MessageKind.OTHER, "", {"type": _clean(name)[:64]}


_Reader = Callable[[str, Any], tuple[MessageKind, str, dict[str, object]]]
_READERS: Mapping[str, _Reader] = {
    "conversation": _plain,
    "extendedTextMessage": _plain,
    "imageMessage": _captioned,
    "videoMessage": _captioned,
    "documentMessage": _captioned,
    "audioMessage": _wordless,
    "stickerMessage": _wordless,
    "reactionMessage": _reaction,
    "locationMessage": _location,
    "liveLocationMessage": _location,
    "contactMessage": _contact,
    "contactsArrayMessage": _contact,
    "buttonsResponseMessage": _choice,
    "templateButtonReplyMessage": _choice,
    "listResponseMessage": _choice,
}


def _quoted(node: Any) -> Quoted | None:
    context = node.get("contextInfo") if isinstance(node, Mapping) else None
    quoted_id = _field(context, "stanzaId")
    if not quoted_id or not isinstance(context, Mapping):
        return None
    quoted = context.get("quotedMessage")
    text = None
    if isinstance(quoted, Mapping):
        found = _content(_unwrap(quoted))
        if found is not None:
            said = found[1]
            text = said if isinstance(said, str) else _field(said, "text") or _field(said, "caption")
    return Quoted(_clean(quoted_id)[:LONGEST_ID], None if text is None else _clean(text))


def _timestamp(value: Any) -> datetime:
    """Seconds since 1970 as a number, a text or protobuf's Long; now, if the message has none."""
    if value is None:
        return datetime.now(UTC)
    if isinstance(value, Mapping):
        low, high = value.get("low"), value.get("high")
        if not isinstance(low, int) or not isinstance(high, int):
            raise _Unreadable("messageTimestamp as an object must have the numbers low and high")
        value = (high << 32) + (low & 0xFFFFFFFF)
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise _Unreadable("messageTimestamp must be seconds since 1970") from None


def _sequence(raw: Mapping[str, Any]) -> int:
    journal = raw.get("journal")
    sequence = journal.get("sequence") if isinstance(journal, Mapping) else None
    return sequence if isinstance(sequence, int) and 0 <= sequence < 2**62 else 0


def _field(node: Any, name: str) -> str | None:
    value = node.get(name) if isinstance(node, Mapping) else None
    return value if isinstance(value, str) else None


def _present(details: Mapping[str, str | None]) -> dict[str, object]:
    return {name: _clean(value) for name, value in details.items() if value}


def _clean(text: str) -> str:
    """What every database can keep: no NUL, no half of a surrogate pair."""
    text = text.replace("\x00", "")
    return text.encode("utf-8", "replace").decode("utf-8")[:LONGEST_TEXT]

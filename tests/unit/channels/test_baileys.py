"""Every WAMessage gets one verdict; what guests send is read, and nothing makes the reader fall."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.channels.baileys import Ignored, Rejected, read_message
from server.domain.messages import InboundMessage, MessageKind, Quoted

PHONE = "972501234567@s.whatsapp.net"
LID = "123456789@lid"


def raw(message: object = None, **changes: Any) -> dict[str, Any]:
    """A WAMessage of a guest, with *message* as its content."""
    key = {"remoteJid": PHONE, "fromMe": False, "id": "3EB0AA"} | changes.pop("key", {})
    content = {"conversation": "When is check-in?"} if message is None else message
    return {"key": key, "messageTimestamp": 1763700000, "message": content} | changes


def read(message: object = None, **changes: Any) -> InboundMessage:
    """What is read of a message that must be sound."""
    verdict = read_message("1", raw(message, **changes))
    assert isinstance(verdict, InboundMessage), verdict
    return verdict


def test_a_plain_text_is_read() -> None:
    message = read()
    assert (message.kind, message.text, message.provider_id) == (
        MessageKind.TEXT,
        "When is check-in?",
        "3EB0AA",
    )


def test_an_extended_text_is_read() -> None:
    assert read({"extendedTextMessage": {"text": "hi https://x.example"}}).text == "hi https://x.example"


@pytest.mark.parametrize("wrapper", ["ephemeralMessage", "viewOnceMessageV2", "editedMessage"])
def test_wrappers_are_taken_off(wrapper: str) -> None:
    assert read({wrapper: {"message": {"conversation": "inside"}}}).text == "inside"


@pytest.mark.parametrize("name", ["imageMessage", "videoMessage", "documentMessage"])
def test_a_caption_is_the_text_of_its_picture(name: str) -> None:
    message = read({name: {"caption": "is this yours?", "mimetype": "image/jpeg"}})
    assert message.text == "is this yours?"
    assert message.kind == name.removesuffix("Message")


def test_a_reaction_keeps_what_it_is_about() -> None:
    message = read({"reactionMessage": {"text": "+", "key": {"id": "3EB0BB"}}})
    assert message.kind is MessageKind.REACTION
    assert message.details == {"to": "3EB0BB"}


def test_a_location_keeps_its_place() -> None:
    message = read({"locationMessage": {"degreesLatitude": 32.08, "degreesLongitude": 34.78, "name": "Port"}})
    assert message.details == {"latitude": 32.08, "longitude": 34.78, "name": "Port"}


def test_a_contact_keeps_its_name() -> None:
    assert read({"contactMessage": {"displayName": "Dana", "vcard": "…"}}).details == {"names": ["Dana"]}


@pytest.mark.parametrize(
    ("name", "kind"), [("audioMessage", MessageKind.AUDIO), ("stickerMessage", MessageKind.STICKER)]
)
def test_other_media_are_named_as_such(name: str, kind: MessageKind) -> None:
    assert read({name: {"mimetype": "audio/ogg"}}).kind is kind


def test_what_is_unknown_is_kept_under_its_name() -> None:
    message = read({"orderMessage": {}})
    assert (message.kind, message.details) == (MessageKind.OTHER, {"type": "orderMessage"})


def test_a_quoted_text_is_kept() -> None:
    context = {"stanzaId": "3EB0CC", "quotedMessage": {"conversation": "We open at nine."}}
    message = read({"extendedTextMessage": {"text": "on Friday too?", "contextInfo": context}})
    assert message.quoted == Quoted("3EB0CC", "We open at nine.")


def test_a_contexts_own_node_is_not_the_content() -> None:
    assert read({"messageContextInfo": {"x": 1}, "conversation": "hello"}).text == "hello"


@pytest.mark.parametrize(
    "stamp", [1763700000, "1763700000", {"low": 1763700000, "high": 0, "unsigned": True}, 1763700000.0]
)
def test_a_timestamp_may_be_a_number_a_text_or_a_long(stamp: object) -> None:
    assert read(messageTimestamp=stamp).sent_at == datetime.fromtimestamp(1763700000, UTC)


def test_a_longs_low_half_may_be_negative() -> None:
    low = 3_000_000_000 - (1 << 32)
    assert read(messageTimestamp={"low": low, "high": 0}).sent_at == datetime.fromtimestamp(
        3_000_000_000, UTC
    )


def test_lid_and_phone_number_are_kept_together_and_the_answer_goes_where_the_guest_wrote_from() -> None:
    address = read(key={"remoteJid": LID, "remoteJidAlt": PHONE}).address
    assert (address.reply_to, address.lid, address.phone) == (LID, LID, PHONE)


def test_the_number_of_the_device_is_left_out() -> None:
    address = read(key={"remoteJid": "972501234567:12@s.whatsapp.net"}).address
    assert address.reply_to == PHONE


def test_the_guests_name_is_kept_and_the_hosts_is_not() -> None:
    assert read(pushName="Dana").address.name == "Dana"
    assert read(pushName="Harbour House", key={"fromMe": True}).address.name is None


def test_the_journals_sequence_is_kept() -> None:
    assert read(journal={"sequence": 12}).sequence == 12


@pytest.mark.parametrize("jid", ["1234-5678@g.us", "status@broadcast", "999@newsletter", "x@broadcast"])
def test_groups_status_and_newsletters_are_ignored(jid: str) -> None:
    assert isinstance(read_message("1", raw(key={"remoteJid": jid})), Ignored)


@pytest.mark.parametrize(
    "content", [{"protocolMessage": {"type": 0}}, {"senderKeyDistributionMessage": {}}, {}]
)
def test_what_says_nothing_is_ignored(content: object) -> None:
    assert isinstance(read_message("1", raw(content)), Ignored)


def test_a_stub_is_ignored() -> None:
    stub = {"key": {"remoteJid": PHONE, "id": "A"}, "messageStubType": 2}
    assert isinstance(read_message("1", stub), Ignored)


@pytest.mark.parametrize(
    ("bad", "id_said"),
    [
        (None, None),
        ("text", None),
        ({}, None),
        ({"key": {}}, None),
        ({"key": {"id": 7, "remoteJid": PHONE}}, None),
        ({"key": {"id": "A"}, "message": {"conversation": "x"}}, "A"),
        ({"key": {"id": "A", "remoteJid": "nobody"}, "message": {"conversation": "x"}}, "A"),
        ({"key": {"id": "A", "remoteJid": PHONE}}, "A"),
        ({"key": {"id": "A", "remoteJid": PHONE}, "message": "x"}, "A"),
        ({"key": {"id": "A", "remoteJid": PHONE}, "message": {"conversation": 5}}, "A"),
        (raw(messageTimestamp="soon") | {"key": {"id": "A", "remoteJid": PHONE}}, "A"),
        (raw(key={"fromMe": "no", "id": "A"}), "A"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_id_and_a_reason(bad: object, id_said: str | None) -> None:
    verdict = read_message("1", bad)
    assert isinstance(verdict, Rejected)
    assert verdict.id == id_said
    assert len(verdict.why) > 10


def test_what_no_database_keeps_is_taken_out_of_a_text() -> None:
    assert read({"conversation": "a\x00b\ud800c"}).text == "ab?c"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_any_json_gets_a_verdict(value: object) -> None:
    assert isinstance(read_message("1", value), InboundMessage | Ignored | Rejected)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "conversation",
                "extendedTextMessage",
                "imageMessage",
                "locationMessage",
                "contactsArrayMessage",
                "reactionMessage",
                "ephemeralMessage",
                "listResponseMessage",
            ]
        ),
        json_values,
        max_size=3,
    ),
    json_values,
)
def test_any_content_gets_a_verdict(content: dict[str, object], stamp: object) -> None:
    verdict = read_message("1", raw(content, messageTimestamp=stamp))
    assert isinstance(verdict, InboundMessage | Ignored | Rejected)
    if isinstance(verdict, InboundMessage):
        verdict.text.encode("utf-8")


AUDIO = {
    "url": "https://mmg.whatsapp.net/v/t62.7117-24/1.enc",
    "directPath": "/v/t62.7117-24/1.enc",
    "mediaKey": "a2V5",
    "mimetype": "audio/ogg; codecs=opus",
    "fileEncSha256": "ZW5j",
    "fileSha256": "c2hh",
    "fileLength": 4711,
    "seconds": 3,
    "ptt": True,
}


def test_what_a_voice_message_is_fetched_by_is_kept() -> None:
    details = read({"audioMessage": {**AUDIO, "contextInfo": {"mentionedJid": ["x"]}}}).details
    key = {"remoteJid": PHONE, "fromMe": False, "id": "3EB0AA"}
    assert details == {
        "mime_type": AUDIO["mimetype"],
        "media": {"key": key, "message": {"audioMessage": AUDIO}},
    }


@pytest.mark.parametrize("name", ["imageMessage", "videoMessage", "documentMessage"])
def test_what_pictures_and_documents_are_fetched_by_is_kept(name: str) -> None:
    content = {
        "documentWithCaptionMessage": {"message": {name: {**AUDIO, "caption": "this", "fileName": "a.pdf"}}}
    }
    message = read(content)
    assert message.details["media"]["message"] == {name: AUDIO}  # type: ignore[index]
    assert (message.text, message.details["file_name"]) == ("this", "a.pdf")


@pytest.mark.parametrize(
    "changes",
    [
        {"mediaKey": None},
        {"mediaKey": {"0": 1}},
        {"mediaKey": "k" * 5_000},
        {"directPath": None, "url": None},
        {"directPath": "@evil.example/1.enc"},
        {"directPath": "http://evil.example/"},
    ],
)
def test_media_that_cannot_be_fetched_soundly_are_not(changes: dict[str, object]) -> None:
    message = read({"audioMessage": AUDIO | changes})
    assert (message.kind, "media" in message.details) == (MessageKind.AUDIO, False)


def test_only_fields_that_are_known_and_short_are_kept() -> None:
    odd = {
        "seconds": [3],
        "fileLength": 2**80,
        "mimetype": "x" * 3_000,
        "waveform": "d" * 90,
        "url": {"a": 1},
    }
    kept = read({"audioMessage": AUDIO | odd}).details["media"]["message"]["audioMessage"]  # type: ignore[index]
    assert sorted(kept) == ["directPath", "fileEncSha256", "fileSha256", "mediaKey", "ptt"]


def test_stickers_and_texts_have_nothing_to_fetch() -> None:
    assert "media" not in read({"stickerMessage": AUDIO}).details
    assert "media" not in read({"extendedTextMessage": {"text": "hi", **AUDIO}}).details

"""A guest speaks instead of writing: fetched from a sidecar over HTTP, heard, answered in the chat, kept."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select
from structlog.testing import LogCapture

from server.adapters.google_channels import GoogleEndpoint
from server.adapters.google_speech_batch import GoogleTranscriber
from server.adapters.google_speech_wire import GoogleSpeechSettings
from server.adapters.sidecar_media import SidecarMedia
from server.channels.baileys import read_message
from server.conversation import voice_notes
from server.desk import Desk
from server.domain.conversations import Mode, Unheard
from server.domain.messages import InboundMessage
from server.domain.modes import Actor, ModeBy
from server.ports.messaging import PresenceState
from server.store.models import ConversationRow, InboundRow, OutboxRow, TurnRow
from server.store.session import Database
from server.store.tenants import Tenants
from simulators.google_client import GoogleSimulator, start_google_speech
from simulators.lab import wait_until
from tests.fakes.language_model import FakeModel
from tests.fakes.senders import FakePresence, FakeSender
from tests.fakes.speech import FakeTranscriber
from tests.integration.conftest import SECRET, MakeDesk
from tests.support.builders import GUEST, a_message
from tests.support.media_server import Answer, MediaServer, endless, media_server, status, whole
from tests.support.opus import a_recording

RECORDING = a_recording(4)
SAID, SAID_IN_HEBREW = "What time is it?", "מה השעה?"
PICTURE = b"\xff\xd8 not what a guest says it is"


@pytest.fixture
def sidecar() -> Iterator[MediaServer]:
    with media_server(whole(RECORDING)) as running:
        yield running


@pytest.fixture
def source(sidecar: MediaServer) -> Iterator[SidecarMedia]:
    made = SidecarMedia(sidecar.url, SECRET, timeout_s=5)
    yield made
    made.close()


def sent(name: str = "audioMessage", number: int = 1, **content: object) -> InboundMessage:
    """What the webhook makes of such a message of WhatsApp's."""
    raw: Mapping[str, Any] = {
        "key": {"remoteJid": GUEST, "fromMe": False, "id": f"3EB0{number}"},
        "messageTimestamp": int(time.time()),
        "message": {name: {"mediaKey": "a2V5", "directPath": "/v/1.enc", "mimetype": "audio/ogg", **content}},
    }
    message = read_message("1", raw)
    assert isinstance(message, InboundMessage)
    return message


def settled(database: Database) -> None:
    """Until no message waits and none is on its way."""

    def is_settled() -> bool:
        with database.read() as session:
            waiting = session.scalars(select(InboundRow.id).where(InboundRow.handled_at.is_(None))).all()
            states = session.scalars(select(OutboxRow.state)).all()
        return not waiting and not {"committed", "sending"} & set(states)

    wait_until(is_settled, 20, "the desk to settle")


def rows(database: Database) -> list[InboundRow]:
    with database.read() as session:
        return list(session.scalars(select(InboundRow).order_by(InboundRow.id)).all())


def last_turn(database: Database) -> TurnRow:
    with database.read() as session:
        return session.scalars(select(TurnRow).order_by(TurnRow.committed_at.desc())).first() or TurnRow()


def test_a_voice_message_is_answered_like_a_text(
    make_desk: MakeDesk,
    tenants: Tenants,
    database: Database,
    sender: FakeSender,
    source: SidecarMedia,
    sidecar: MediaServer,
    tmp_path: Path,
) -> None:
    desk = make_desk(media=source, transcriber=FakeTranscriber(SAID))
    desk.start()
    desk.receiver.receive("1", [sent()])
    settled(database)
    assert [answer.text[:6] for answer in sender.sent] == ["It is "]
    (row,) = rows(database)
    assert (row.kind, row.text, row.details["transcript"]["language"]) == ("audio", SAID, "en")
    assert not last_turn(database).handover
    secret, body = sidecar.asked[0]
    assert (secret, body["tenantId"], body["message"]["key"]["id"]) == (SECRET, "1", "3EB01")
    kept = tmp_path / "media" / "1" / str(row.id)
    assert kept.read_bytes() == RECORDING
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleSimulator]:
    with start_google_speech() as running:
        yield running


def test_a_guest_who_speaks_hebrew_is_answered_in_hebrew(
    make_desk: MakeDesk,
    tenants: Tenants,
    database: Database,
    sender: FakeSender,
    source: SidecarMedia,
    google: GoogleSimulator,
) -> None:
    known = {hashlib.sha256(RECORDING).hexdigest(): {"text": SAID_IN_HEBREW, "language": "iw-IL"}}
    google.control(recordings=known)
    ears = GoogleTranscriber(GoogleEndpoint(google.endpoint), GoogleSpeechSettings())
    desk = make_desk(media=source, transcriber=ears)
    desk.start()
    desk.receiver.receive("1", [sent()])
    settled(database)
    assert "השעה אצלנו עכשיו" in sender.sent[0].text
    assert rows(database)[0].text == SAID_IN_HEBREW


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status(410), Unheard.GONE),
        (status(413), Unheard.TOO_LARGE),
        (status(422), Unheard.UNREADABLE),
        (status(502), Unheard.UNREADABLE),
        (status(503), Unheard.FAILED),
        (status(504), Unheard.LATE),
        (whole(b"<html>no sound</html>"), Unheard.UNREADABLE),
        (whole(a_recording(301)), Unheard.TOO_LONG),
        (endless(bytes(1_000_000)), Unheard.TOO_LARGE),
    ],
)
def test_what_cannot_be_heard_gets_a_polite_line_and_the_team_gets_the_reason(
    make_desk: MakeDesk,
    tenants: Tenants,
    database: Database,
    sender: FakeSender,
    source: SidecarMedia,
    sidecar: MediaServer,
    answer: Answer,
    why: Unheard,
    tmp_path: Path,
) -> None:
    sidecar.answers = [answer]
    desk = make_desk(media=source, transcriber=FakeTranscriber(SAID))
    desk.start()
    desk.receiver.receive("1", [sent(seconds=1, fileLength=5, mimetype="audio/ogg; codecs=opus")])
    settled(database)
    assert ["passed it to the team" in answer.text for answer in sender.sent] == [True]
    assert (last_turn(database).handover, last_turn(database).reason) == (True, why)
    with database.read() as session:
        assert session.scalars(select(ConversationRow.needs_human)).all() == [True]
    assert not list(tmp_path.glob("media/*/*.part"))


def test_typing_is_shown_while_it_is_listened(
    make_desk: MakeDesk,
    tenants: Tenants,
    database: Database,
    sender: FakeSender,
    presence: FakePresence,
    source: SidecarMedia,
    sidecar: MediaServer,
) -> None:
    shown: list[tuple[str, str, PresenceState]] = []

    def answer(handler: Any) -> None:
        wait_until(lambda: bool(presence.shown), 5, "the typing indicator")
        shown.extend(presence.shown)
        whole(RECORDING)(handler)

    sidecar.answers = [answer]
    desk = make_desk(media=source, transcriber=FakeTranscriber(SAID))
    desk.start()
    desk.receiver.receive("1", [sent()])
    settled(database)
    assert shown == [("1", GUEST, PresenceState.COMPOSING)]


def test_what_is_written_after_a_voice_message_is_answered_with_it(
    make_desk: MakeDesk,
    tenants: Tenants,
    database: Database,
    sender: FakeSender,
    source: SidecarMedia,
    sidecar: MediaServer,
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def answer(handler: Any) -> None:
        asked.set()
        go_on.wait(10)
        whole(RECORDING)(handler)

    sidecar.answers = [answer]
    desk = make_desk(media=source, transcriber=FakeTranscriber(SAID))
    desk.start()
    desk.receiver.receive("1", [sent()])
    assert asked.wait(10)
    desk.receiver.receive("1", [a_message("And is there parking?")])
    go_on.set()
    settled(database)
    spoken, written = rows(database)
    assert spoken.text == SAID
    assert spoken.covered_by == written.covered_by
    assert (len(sender.sent), len(sidecar.asked)) == (1, 1)


def test_what_was_said_is_known_to_the_next_turn(
    make_desk: MakeDesk, tenants: Tenants, database: Database, source: SidecarMedia
) -> None:
    model = FakeModel("With pleasure.")
    desk = make_desk(model, media=source, transcriber=FakeTranscriber(SAID))
    desk.start()
    desk.receiver.receive("1", [sent()])
    settled(database)
    desk.receiver.receive("1", [a_message("And where do you serve breakfast?")])
    settled(database)
    (request,) = model.requests
    assert any(SAID in line.content for line in request.lines)


def test_words_that_were_saved_before_a_crash_are_not_asked_for_again(
    make_desk: MakeDesk, tenants: Tenants, database: Database, sender: FakeSender, source: SidecarMedia
) -> None:
    desk = make_desk(media=source, transcriber=FakeTranscriber())
    saved = desk.receiver.receive("1", [sent()])[0]
    desk.ports.inbox.save_words(saved.id, SAID, {})
    desk.start()
    settled(database)
    assert sender.sent[0].text.startswith("It is ")


def test_a_voice_message_in_staffs_hands_is_kept_and_has_its_words(
    make_desk: MakeDesk,
    tenants: Tenants,
    database: Database,
    sender: FakeSender,
    source: SidecarMedia,
    tmp_path: Path,
) -> None:
    desk = make_desk(media=source, transcriber=FakeTranscriber(SAID))
    saved = desk.receiver.receive("1", [sent()])[0]
    desk.ports.modes.set_mode("1", saved.conversation_id, Mode.HUMAN, Actor(ModeBy.CONSOLE))
    desk.start()
    wait_until(lambda: rows(database)[0].text == SAID, 10, "the words")
    assert (tmp_path / "media" / "1" / str(saved.id)).read_bytes() == RECORDING
    assert sender.sent == []


def test_a_picture_is_kept_for_staff_under_a_name_of_ours(
    make_desk: MakeDesk,
    tenants: Tenants,
    database: Database,
    sender: FakeSender,
    source: SidecarMedia,
    sidecar: MediaServer,
    tmp_path: Path,
) -> None:
    sidecar.answers = [whole(PICTURE)]
    desk = make_desk(media=source)
    desk.start()
    desk.receiver.receive("1", [sent("documentMessage", fileName="../../../evil.sh")])
    settled(database)
    kept = tmp_path / "media" / "1" / str(rows(database)[0].id)
    wait_until(kept.exists, 10, "the picture")
    assert kept.read_bytes() == PICTURE
    assert [path.name for path in tmp_path.rglob("*evil*")] == []
    assert last_turn(database).reason == "no_words"


def test_staff_get_a_file_that_this_machine_has_not_fetched(
    desk: Desk, make_desk: MakeDesk, database: Database, source: SidecarMedia
) -> None:
    saved = desk.receiver.receive("1", [sent()])[0]
    (row,) = rows(database)
    kept = make_desk(media=source).enclosures.get("1", saved.id, row.received_at, row.details)
    assert kept.read_bytes() == RECORDING


def test_what_is_older_than_a_month_is_deleted(desk: Desk, tenants: Tenants, tmp_path: Path) -> None:
    with desk.ports.shelf.keep("1", 1) as file:
        file.write(b"old")
    with desk.ports.shelf.keep("1", 2) as file:
        file.write(b"young")
    old, young = tmp_path / "media/1/1", tmp_path / "media/1/2"
    long_ago = time.time() - 31 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    desk.start()
    wait_until(lambda: not old.exists(), 10, "the old file to go")
    assert young.exists()


def test_the_log_holds_neither_words_nor_keys(
    make_desk: MakeDesk,
    tenants: Tenants,
    database: Database,
    source: SidecarMedia,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A logger of its own: how all are set up depends on what ran before.
    kept = LogCapture()
    monkeypatch.setattr(voice_notes, "log", structlog.wrap_logger(None, processors=[kept]))
    desk = make_desk(media=source, transcriber=FakeTranscriber(SAID))
    desk.start()
    desk.receiver.receive("1", [sent()])
    settled(database)
    logged = repr(kept.entries)
    assert "voice_note.heard" in logged
    for secret in (SAID, "a2V5", "/v/1.enc", GUEST):
        assert secret not in logged

"""Staff see and hear what guests sent, and hear calls; nothing that a guest sends runs in their browser."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.errors import ProviderUnavailable
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeMedia
from tests.fakes.recordings import FakeShelf
from tests.support.threads import ThreadBuilder

OGG, JPEG, PAGE = b"OggS\x00\x02 a voice", b"\xff\xd8\xff\xe0 a picture", b"<script>alert(1)</script>"
AUDIO = b"RIFF" + bytes(1000)

pytestmark = pytest.mark.usefixtures("tenants")


@pytest.fixture
def thread(database: Database, clock: FakeClock) -> ThreadBuilder:
    return ThreadBuilder(database, clock.now(), name="Dana")


def sends(thread: ThreadBuilder, media: FakeMedia, content: bytes | None, kind: str, **details: Any) -> str:
    """The guest sends a file; returns where staff find it."""
    name = f"M{len(media.files)}"
    if content is not None:
        media.files[name] = content
    message = thread.guest_says("", kind=kind, details={"media": {"key": {"id": name}}, **details})
    return f"/console/conversations/{thread.id}/files/{message}"


def fetched(staff: FlaskClient, url: str, **headers: str) -> TestResponse:
    """The answer, read and closed as a server would."""
    answer = staff.get(url, headers=headers)
    assert answer.data or answer.status_code != HTTPStatus.OK
    answer.close()
    return answer


def test_a_voice_message_is_played_with_its_words_below(
    staff: FlaskClient, thread: ThreadBuilder, media: FakeMedia
) -> None:
    media.files["V1"] = OGG
    thread.guest_says(
        "Is there a lift?",
        kind="audio",
        details={"media": {"key": {"id": "V1"}}, "transcript": {"language": "en", "confidence": 0.9}},
    )
    page = staff.get(f"/console/conversations/{thread.id}").text
    assert '<audio controls preload="none"' in page
    assert "Written down from the recording" in page
    assert "Is there a lift?" in page
    assert media.fetched == []


@pytest.mark.parametrize(
    ("kind", "content", "mimetype"), [("audio", OGG, "audio/ogg"), ("image", JPEG, "image/jpeg")]
)
def test_a_file_is_fetched_when_it_is_looked_at_and_kept(
    staff: FlaskClient, thread: ThreadBuilder, media: FakeMedia, kind: str, content: bytes, mimetype: str
) -> None:
    url = sends(thread, media, content, kind)
    for _ in range(2):
        answer = fetched(staff, url)
        assert (answer.status_code, answer.mimetype, answer.data) == (200, mimetype, content)
    assert media.fetched == ["M0"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" not in answer.headers["Content-Disposition"]


def test_a_player_gets_the_part_that_it_asks_for(
    staff: FlaskClient, thread: ThreadBuilder, media: FakeMedia
) -> None:
    answer = fetched(staff, sends(thread, media, OGG, "audio"), Range="bytes=4-7")
    assert (answer.status_code, answer.data) == (HTTPStatus.PARTIAL_CONTENT, OGG[4:8])


@pytest.mark.parametrize("kind", ["image", "document"])
def test_a_page_that_a_guest_sends_is_saved_and_never_opened(
    staff: FlaskClient, thread: ThreadBuilder, media: FakeMedia, kind: str
) -> None:
    url = sends(thread, media, PAGE, kind, file_name="photo.html", mime_type="text/html")
    answer = fetched(staff, url)
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="photo html.bin"'
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_document_is_named_as_the_guest_named_it(
    staff: FlaskClient, thread: ThreadBuilder, media: FakeMedia
) -> None:
    url = sends(thread, media, b"%PDF-1.7", "document", file_name="<b>חוזה</b>.pdf")
    page = staff.get(f"/console/conversations/{thread.id}").text
    assert f'href="{url}"' in page
    assert "&lt;b&gt;חוזה&lt;/b&gt;.pdf" in page
    assert "attachment" in fetched(staff, url).headers["Content-Disposition"]


def test_what_is_gone_is_said_to_be_and_what_may_come_back_too(
    staff: FlaskClient, thread: ThreadBuilder, media: FakeMedia
) -> None:
    url = sends(thread, media, None, "image")
    gone = staff.get(url)
    assert gone.status_code == HTTPStatus.NOT_FOUND
    media.outages = [ProviderUnavailable("media", "late")]
    assert staff.get(url).status_code == HTTPStatus.BAD_GATEWAY


def test_files_of_other_threads_and_businesses_do_not_exist(
    staff: FlaskClient, thread: ThreadBuilder, media: FakeMedia, database: Database, clock: FakeClock
) -> None:
    theirs = ThreadBuilder(database, clock.now(), tenant_id="2")
    url = sends(theirs, media, JPEG, "image")
    message = url.rpartition("/")[2]
    text = thread.guest_says("Hello")
    for path in (url, f"/console/conversations/{thread.id}/files/{message}"):
        assert staff.get(path).status_code == HTTPStatus.NOT_FOUND
    assert staff.get(f"/console/conversations/{thread.id}/files/{text}").status_code == HTTPStatus.NOT_FOUND
    assert staff.get(f"/console/conversations/{thread.id}/files/{2**64}").status_code == HTTPStatus.NOT_FOUND
    assert media.fetched == []


def test_a_call_stands_in_the_thread_with_its_recording(
    staff: FlaskClient, thread: ThreadBuilder, shelf: FakeShelf
) -> None:
    thread.calls("CA1", recordings=["r1"], seconds=130)
    thread.reply("Hello, how can I help?", channel="voice")
    writer = shelf.begin("1", "r1")
    writer.write(AUDIO)
    writer.finish()
    page = staff.get(f"/console/conversations/{thread.id}").text
    assert "Phone call" in page
    assert "2 min 10 s" in page
    assert "Heard on the phone" in page
    assert 'src="/console/calls/CA1/recordings/1"' in page
    answer = fetched(staff, "/console/calls/CA1/recordings/1", Range="bytes=0-3")
    assert (answer.status_code, answer.mimetype, answer.data) == (206, "audio/wav", b"RIFF")


def test_calls_of_other_businesses_do_not_exist(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    theirs = ThreadBuilder(database, clock.now(), tenant_id="2")
    theirs.calls("CA1")
    assert staff.get("/console/calls/CA1/recordings/1").status_code == HTTPStatus.NOT_FOUND
    assert staff.get("/console/calls/CA2/recordings/1").status_code == HTTPStatus.NOT_FOUND

"""Media are fetched from the sidecar within limits of size and time, and every fault is one of ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import BytesIO

import pytest

from server.adapters.sidecar_media import SidecarMedia
from server.errors import LineDown, ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.ports.media import MediaFault
from tests.support.hanging import Hang, hanging_server
from tests.support.media_server import MediaServer, cut_off, endless, media_server, status, whole

MESSAGE = {"key": {"id": "3EB0AA"}, "message": {"audioMessage": {"mediaKey": "a2V5"}}}
SOUND = bytes(range(256)) * 1_000


@pytest.fixture
def server() -> Iterator[MediaServer]:
    with media_server(whole(SOUND)) as running:
        yield running


def fetch(url: str, most_bytes: int = 1_000_000, timeout_s: float = 5) -> bytes:
    source = SidecarMedia(url, "secret", timeout_s=timeout_s)
    into = BytesIO()
    try:
        source.fetch("1", MESSAGE, into, most_bytes)
    finally:
        source.close()
    return into.getvalue()


def test_it_is_asked_for_as_the_contract_says(server: MediaServer) -> None:
    assert fetch(server.url) == SOUND
    assert server.asked == [("secret", {"tenantId": "1", "message": MESSAGE})]


@pytest.mark.parametrize(
    ("code", "kind", "fault"),
    [
        (413, ProviderRejected, MediaFault.TOO_LARGE),
        (410, ProviderRejected, MediaFault.GONE),
        (422, ProviderRejected, MediaFault.NO_MEDIA),
        (502, ProviderRejected, MediaFault.CORRUPT),
        (503, LineDown, MediaFault.NOT_CONNECTED),
        (504, ProviderTimeout, MediaFault.LATE),
        (500, ProviderUnavailable, MediaFault.CUT),
        (429, ProviderUnavailable, MediaFault.CUT),
        (401, ProviderRejected, MediaFault.REFUSED),
        (404, ProviderRejected, MediaFault.REFUSED),
        (302, ProviderRejected, MediaFault.REFUSED),
    ],
)
def test_each_answer_has_its_meaning(
    server: MediaServer, code: int, kind: type[ProviderError], fault: MediaFault
) -> None:
    server.answers = [status(code)]
    with pytest.raises(kind) as raised:
        fetch(server.url)
    assert raised.value.reason == fault


def test_what_is_as_large_as_it_may_be_is_taken(server: MediaServer) -> None:
    assert fetch(server.url, most_bytes=len(SOUND)) == SOUND


def test_what_is_larger_is_refused(server: MediaServer) -> None:
    with pytest.raises(ProviderRejected, match=MediaFault.TOO_LARGE):
        fetch(server.url, most_bytes=len(SOUND) - 1)


def test_a_stream_without_an_end_is_left(server: MediaServer) -> None:
    has_left = threading.Event()
    server.answers = [endless(SOUND, has_left)]
    with pytest.raises(ProviderRejected, match=MediaFault.TOO_LARGE):
        fetch(server.url)
    assert has_left.wait(5)


def test_a_stream_that_breaks_off_is_no_file(server: MediaServer) -> None:
    server.answers = [cut_off(SOUND)]
    with pytest.raises(ProviderUnavailable, match=MediaFault.CUT):
        fetch(server.url)


@pytest.mark.parametrize("hang", list(Hang))
def test_a_sidecar_that_hangs_is_not_waited_for(hang: Hang) -> None:
    with hanging_server(hang) as port, pytest.raises(ProviderUnavailable):
        fetch(f"http://127.0.0.1:{port}", most_bytes=10_000_000, timeout_s=0.3)


def test_a_sidecar_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(ProviderUnavailable):
        fetch("http://127.0.0.1:9")


class MovingNumber:
    """A directory whose number is at the first address, and at the second when it is asked again."""

    def __init__(self, *urls: str) -> None:
        self._urls = list(urls)

    def holder(self, tenant_id: str) -> str:  # noqa: ARG002 - the port's
        return self._urls.pop(0) if len(self._urls) > 1 else self._urls[0]

    def sidecars(self) -> list[str]:
        return self._urls


def test_a_number_that_has_moved_is_followed(server: MediaServer) -> None:
    with media_server(status(503)) as before:
        source = SidecarMedia("", "secret", MovingNumber(before.url, server.url))
        into = BytesIO()
        source.fetch("1", MESSAGE, into, len(SOUND))
        source.close()
    assert into.getvalue() == SOUND


def test_a_number_that_is_down_where_it_is_is_down(server: MediaServer) -> None:
    server.answers = [status(503)]
    with pytest.raises(LineDown):
        fetch(server.url)
    assert len(server.asked) == 1

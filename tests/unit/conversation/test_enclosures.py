"""A file is fetched once, refused by name, and neither kept nor fetched when its time is over."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.adapters.media_folder import MediaFolder
from server.conversation.enclosures import Enclosures
from server.domain.messages import MEDIA
from server.errors import ProviderError, ProviderUnavailable
from server.ports.media import PROVIDER, MediaFault
from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeMedia

DETAILS = {MEDIA: {"key": {"id": "A"}, "message": {}}}
KEPT = timedelta(days=30)


class Scene:
    """What a guest sent just now."""

    def __init__(self, folder: Path) -> None:
        # Files have the machine's time.
        self.clock = FakeClock(datetime.now(UTC))
        self.media = FakeMedia({"A": b"sound"})
        self.shelf = MediaFolder(folder, least_free_bytes=0)
        self.enclosures = Enclosures(self.media, self.shelf, self.clock, KEPT, most_bytes=10)
        self.received_at = self.clock.now()

    def get(self, **details: object) -> Path:
        return self.enclosures.get("1", 1, self.received_at, details or DETAILS)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_file_is_fetched_once(scene: Scene) -> None:
    assert [scene.get().read_bytes() for _ in range(2)] == [b"sound"] * 2
    assert scene.media.fetched == ["A"]


def test_a_fetch_that_failed_leaves_nothing_and_may_be_tried_again(scene: Scene) -> None:
    scene.media.outages = [ProviderUnavailable(PROVIDER, MediaFault.CUT)]
    with pytest.raises(ProviderUnavailable):
        scene.get()
    assert scene.shelf.find("1", 1) is None
    assert scene.get().read_bytes() == b"sound"


def test_what_is_too_large_is_not_kept(scene: Scene) -> None:
    scene.media.files["A"] = b"x" * 11
    with pytest.raises(ProviderError, match=MediaFault.TOO_LARGE):
        scene.get()
    assert scene.shelf.find("1", 1) is None


@pytest.mark.parametrize("details", [{"mime_type": "audio/ogg"}, {MEDIA: "a text"}])
def test_a_message_that_carries_nothing_has_no_file(scene: Scene, details: dict[str, object]) -> None:
    with pytest.raises(ProviderError, match=MediaFault.NO_MEDIA):
        scene.get(**details)


def test_what_was_deleted_in_time_is_not_fetched_again(scene: Scene) -> None:
    path = scene.get()
    long_ago = (scene.clock.now() - timedelta(seconds=1)).timestamp()
    os.utime(path, (long_ago, long_ago))
    scene.clock.advance(KEPT.total_seconds())
    scene.enclosures.forget()
    assert not path.exists()
    scene.clock.advance(1)
    with pytest.raises(ProviderError, match=MediaFault.GONE):
        scene.get()
    assert scene.media.fetched == ["A"]

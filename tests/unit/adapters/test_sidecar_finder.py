"""Calls for a number go to the sidecar that has it, and follow it when it moves."""

from __future__ import annotations

import pytest

from server.adapters.sidecar_finder import REMEMBERED_S, SidecarFinder
from server.errors import ProviderUnavailable, StoreUnavailable

ONE = "http://127.0.0.1:3300"


class FakeDirectory:
    """Keeps ``SidecarDirectory``; counts how often it is asked."""

    def __init__(self) -> None:
        self.holders: dict[str, str] = {}
        self.alive: list[str] = []
        self.is_away = False
        self.asked = 0

    def holder(self, tenant_id: str) -> str | None:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return self.holders.get(tenant_id)

    def sidecars(self) -> list[str]:
        if self.is_away:
            raise StoreUnavailable("away")
        return self.alive


class Watch:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def directory() -> FakeDirectory:
    return FakeDirectory()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def finder(directory: FakeDirectory, watch: Watch) -> SidecarFinder:
    return SidecarFinder(ONE, directory, watch)


def test_without_a_directory_there_is_one_sidecar() -> None:
    finder = SidecarFinder(ONE)
    assert finder.url_of("1") == ONE
    assert finder.all() == [ONE]
    assert not finder.has_moved("1", ONE)


def test_a_holder_is_remembered_for_a_moment(
    finder: SidecarFinder, directory: FakeDirectory, watch: Watch
) -> None:
    directory.holders["1"] = "http://a"
    assert [finder.url_of("1") for _ in range(3)] == ["http://a"] * 3
    assert directory.asked == 1
    watch.time += REMEMBERED_S
    directory.holders["1"] = "http://b"
    assert finder.url_of("1") == "http://b"


def test_a_number_that_has_moved_is_found_at_once(finder: SidecarFinder, directory: FakeDirectory) -> None:
    directory.holders["1"] = "http://a"
    assert not finder.has_moved("1", finder.url_of("1"))
    directory.holders["1"] = "http://b"
    assert finder.has_moved("1", "http://a")
    assert finder.url_of("1") == "http://b"


def test_a_number_that_nobody_holds_goes_to_the_least_loaded(
    finder: SidecarFinder, directory: FakeDirectory
) -> None:
    directory.alive = ["http://idle", "http://busy"]
    assert finder.url_of("1") == "http://idle"


def test_where_no_sidecar_shows_itself_the_settings_tell(finder: SidecarFinder) -> None:
    assert finder.url_of("1") == ONE
    assert finder.all() == [ONE]


def test_a_database_that_is_away_makes_the_number_unavailable(
    finder: SidecarFinder, directory: FakeDirectory
) -> None:
    directory.is_away = True
    with pytest.raises(ProviderUnavailable):
        finder.url_of("1")
    with pytest.raises(ProviderUnavailable):
        finder.all()

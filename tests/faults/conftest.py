"""Everything runs once for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.scene import Scene, running_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_scene(tmp_path_factory.mktemp("scene")) as running:
        yield running

"""Files that are to be imported are kept within limits, for an hour, for who gave them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import IO

import pytest

from server.errors import InvalidRequest, NotFound
from server.knowledge.files.reading import MAX_FILE_BYTES
from server.knowledge.staged import MOST_FILES, Progress, StagedImports, Step, Upload
from tests.fakes.clock import FakeClock

FILE = b"# Pool\n\nOpen.\n"


@pytest.fixture
def staged(tmp_path: Path, clock: FakeClock) -> StagedImports:
    return StagedImports(tmp_path / "imports", clock)


def an_upload(name: str = "faq.md", content: bytes = FILE) -> Upload:
    return Upload(name, BytesIO(content))


def test_what_a_file_holds_is_found_again_and_the_file_is_gone(staged: StagedImports, tmp_path: Path) -> None:
    token = staged.put("1", [an_upload()])
    held = staged.find("1", token)
    assert [(document.id, document.source) for document in held.documents] == [("pool", "faq.md")]
    assert held.sources == ["faq.md"]
    assert not list(tmp_path.rglob("*.md"))


@pytest.mark.parametrize("tenant_id", ["2", "../1", "."])
def test_another_tenant_finds_nothing(staged: StagedImports, tenant_id: str) -> None:
    token = staged.put("1", [an_upload()])
    with pytest.raises(NotFound):
        staged.find(tenant_id, token)


@pytest.mark.parametrize("token", ["", "../../etc/passwd", "x" * 31, "x" * 32])
def test_a_token_that_was_never_given_finds_nothing(staged: StagedImports, token: str) -> None:
    with pytest.raises(NotFound):
        staged.find("1", token)


def test_too_many_files_are_refused(staged: StagedImports) -> None:
    uploads = [an_upload(f"{number}.md") for number in range(MOST_FILES + 1)]
    with pytest.raises(InvalidRequest, match="give fewer at a time"):
        staged.put("1", uploads)


class Endless(BytesIO):
    """More than anybody wants."""

    def read(self, size: int | None = -1, /) -> bytes:
        return b"x" * (size or 0)


def test_a_file_that_is_too_large_is_refused_and_not_kept(staged: StagedImports, tmp_path: Path) -> None:
    content: IO[bytes] = Endless()
    with pytest.raises(InvalidRequest, match=f"larger than {MAX_FILE_BYTES // 2**20} MB"):
        staged.put("1", [Upload("faq.md", content)])
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_older_than_an_hour_is_deleted(
    staged: StagedImports, clock: FakeClock, tmp_path: Path
) -> None:
    old = staged.put("1", [an_upload()])
    staged.note("1", old, Progress(Step.DONE))
    clock.advance(1_800)
    young = staged.put("1", [an_upload()])
    clock.advance(1_801)
    staged.forget()
    assert staged.find("1", young)
    assert not list(tmp_path.rglob(f"{old}*"))


def test_a_step_that_nothing_was_heard_of_for_long_waits_again(
    staged: StagedImports, clock: FakeClock
) -> None:
    token = staged.put("1", [an_upload()])
    assert staged.progress("1", token).step is Step.WAITING
    staged.note("1", token, Progress(Step.RUNNING, 1, 2))
    assert staged.progress("1", token) == Progress(Step.RUNNING, 1, 2)
    clock.advance(600)
    assert staged.progress("1", token).step is Step.WAITING

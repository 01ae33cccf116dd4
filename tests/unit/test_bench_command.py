"""`frontdesk bench` starts benches and knows nothing of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.commands.bench import set_up
from server.errors import CommandError


def test_without_the_repository_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="clone of the repository"):
        set_up(tmp_path / "setup")


def test_a_setup_that_fails_ends_the_bench_and_its_output_goes_to_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "setup"
    script.write_text("#!/bin/sh\necho no packages today\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(CommandError, match="what stands above tells why"):
        set_up(script)
    said = capfd.readouterr()
    assert said.out == ""
    assert "no packages today" in said.err

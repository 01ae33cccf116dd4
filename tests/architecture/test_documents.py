"""What a review would forget: every setting and every command stands in the documents."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from server.commands import cli
from server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def commands(group: click.Group, path: str = "frontdesk") -> list[tuple[str, click.Command]]:
    """Each command below *group* with its whole name."""
    found: list[tuple[str, click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append((f"{path} {name}", command))
        if isinstance(command, click.Group):
            found += commands(command, f"{path} {name}")
    return found


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_setting_stands_in_the_operations_page(name: str) -> None:
    assert f"`{name.upper()}`" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "command"), commands(cli), ids=lambda value: str(value))
def test_a_command_helps_with_an_example(name: str, command: click.Command) -> None:
    assert command.help, f"{name} does not say what it does"
    assert command.epilog, f"{name} gives no example"
    assert "frontdesk " in command.epilog


def test_decisions_have_their_four_parts() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for part in ("Context", "Decision", "Consequence", "Alternatives"):
            assert part in text, f"{page.name} lacks {part}"

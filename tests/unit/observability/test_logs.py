"""Logs are JSON with ids; private fields do not get through."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from server.observability.logs import PRIVATE, configure_logging


@pytest.fixture(autouse=True)
def left_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    line: dict[str, object] = json.loads(capsys.readouterr().err)
    return line


def test_an_event_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    structlog.get_logger("test").info("turn.committed", turn="t1")
    line = said(capsys)
    assert (line["event"], line["turn"], line["level"]) == ("turn.committed", "t1", "info")


@pytest.mark.parametrize("field", sorted(PRIVATE))
def test_a_private_field_is_taken_out(capsys: pytest.CaptureFixture[str], field: str) -> None:
    configure_logging("INFO")
    structlog.get_logger("test").info("some.event", **{field: "0501234567"})
    assert said(capsys)[field] == "[private]"


def test_a_librarys_log_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    logging.getLogger("somebody").warning("careful")
    assert said(capsys)["event"] == "careful"


def test_an_exception_does_not_show_what_variables_held(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        guest_text = "my number is 0501234567"
        raise RuntimeError(str(len(guest_text)))

    configure_logging("INFO")
    try:
        fail()
    except RuntimeError:
        structlog.get_logger("test").exception("turn.failed")
    printed = capsys.readouterr().err
    assert "RuntimeError" in printed
    assert "0501234567" not in printed

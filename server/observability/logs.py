"""Structured logs: one JSON object a line, a static event with ids; never message text, names or numbers."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Fields that must not be logged, whoever tries.
PRIVATE = frozenset({"text", "body", "message", "phone", "lid", "jid", "to", "reply_to", "name", "secret"})
_REDACTED = "[private]"


def configure_logging(level: str) -> None:
    """Send our own and the libraries' logs to standard error as JSON. *level* is a name such as INFO."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # At INFO they tell of requests, with addresses in them.
    for chatty in ("httpx2", "httpx", "urllib3", "openai", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take private fields out of *event*."""
    for field in PRIVATE & event.keys():
        event[field] = _REDACTED
    return event

"""What operators and load balancers ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint

from server.errors import StoreUnavailable


def operations_blueprint(check_store: Callable[[], None], is_core_running: Callable[[], bool]) -> Blueprint:
    """``/livez`` (the process answers) and ``/readyz`` (it can take messages in and answer them)."""
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/livez")
    def livez() -> dict[str, Any]:
        return {"status": "ok"}

    @blueprint.get("/readyz")
    def readyz() -> tuple[dict[str, Any], int]:
        checks = {"database": _holds(check_store), "core": is_core_running()}
        is_ready = all(checks.values())
        return {"status": "ok" if is_ready else "unavailable", "checks": checks}, 200 if is_ready else 503

    return blueprint


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except StoreUnavailable:
        return False
    return True

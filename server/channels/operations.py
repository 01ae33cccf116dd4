"""What operators and load balancers ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, request

from server.channels.api_keys import tenant_of
from server.errors import ProviderUnavailable, StoreUnavailable
from server.ports.messaging import LineHealth
from server.ports.store import KeyStore


def operations_blueprint(
    check_store: Callable[[], None], is_core_running: Callable[[], bool], lines: LineHealth, keys: KeyStore
) -> Blueprint:
    """``/livez`` (the process answers), ``/readyz`` (it can take messages in and answer them), and
    ``/health`` (the same, and the line of whose key it is)."""
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/livez")
    def livez() -> dict[str, Any]:
        return {"status": "ok"}

    @blueprint.get("/readyz")
    def readyz() -> tuple[dict[str, Any], int]:
        checks = {"database": _holds(check_store), "core": is_core_running()}
        is_ready = all(checks.values())
        return {"status": "ok" if is_ready else "unavailable", "checks": checks}, 200 if is_ready else 503

    @blueprint.get("/health")
    def health() -> dict[str, Any]:
        tenant_id = tenant_of(request, keys)
        checks = {"database": _holds(check_store), "core": is_core_running()}
        numbers = _numbers_of(tenant_id, lines)
        is_well = all(checks.values()) and numbers is not None and not any(map(_is_deaf, numbers))
        return {
            "status": "ok" if is_well else "degraded",
            "checks": checks | {"whatsapp": numbers is not None},
            "numbers": numbers or [],
        }

    return blueprint


def _numbers_of(tenant_id: str, lines: LineHealth) -> list[Mapping[str, Any]] | None:
    """The tenant's numbers; None where whoever holds them cannot be asked."""
    try:
        return [line for line in lines.lines() if line.get("tenantId") == tenant_id]
    except ProviderUnavailable:
        return None


def _is_deaf(line: Mapping[str, Any]) -> bool:
    return line.get("state") == "deaf"


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except StoreUnavailable:
        return False
    return True

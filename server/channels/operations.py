"""What operators and load balancers ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask_login import current_user

from server.channels.api_keys import tenant_of
from server.errors import ProviderUnavailable, StoreUnavailable
from server.observability import multiprocess
from server.observability.alert_file import to_json
from server.observability.alerts import Alert
from server.observability.performance import Sources, metrics_summary, performance_snapshot
from server.ports.messaging import LineHealth
from server.ports.store import KeyStore


def _no_alerts() -> Sequence[Alert]:
    return ()


def operations_blueprint(
    check_store: Callable[[], None],
    is_core_running: Callable[[], bool],
    lines: LineHealth,
    keys: KeyStore,
    alerts: Callable[[], Sequence[Alert]] = _no_alerts,
) -> Blueprint:
    """``/livez`` (the process answers), ``/readyz`` (it can take messages in and answer them), and
    ``/health`` (the same, the line of whose key it is, and what is wrong with the installation)."""
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
        tenant_id = operator_of(keys)
        checks = {"database": _holds(check_store), "core": is_core_running()}
        numbers = _numbers_of(tenant_id, lines)
        has_line = numbers is not None and not any(map(_is_deaf, numbers))
        return {
            "status": "ok" if all(checks.values()) and has_line else "degraded",
            "checks": checks | {"whatsapp": numbers is not None},
            "numbers": numbers or [],
            "alerts": [to_json(alert) for alert in alerts()],
        }

    return blueprint


def figures_blueprint(sources: Sources, keys: KeyStore) -> Blueprint:
    """``/metrics`` as Prometheus reads it, the same in short as ``/api/v1/metrics``, and
    ``/api/performance``: of all processes together, and of the caller's own turns and models."""
    blueprint = Blueprint("figures", __name__)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        operator_of(keys)
        return Response(multiprocess.exposition(), content_type=multiprocess.CONTENT_TYPE)

    @blueprint.get("/api/v1/metrics")
    def summary() -> dict[str, Any]:
        operator_of(keys)
        return metrics_summary(sources.watch)

    @blueprint.get("/api/performance")
    def performance() -> dict[str, Any]:
        return performance_snapshot(sources, operator_of(keys))

    return blueprint


def operator_of(keys: KeyStore) -> str:
    """The tenant of the key that the request carries, or of the member of staff whose session it is.

    Raises:
        Unauthenticated: it has neither.
    """
    # Without the console there are no sessions.
    has_sessions = hasattr(current_app, "login_manager")
    if "Authorization" not in request.headers and has_sessions and current_user.is_authenticated:
        return str(current_user.user.tenant_id)
    return tenant_of(request, keys)


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

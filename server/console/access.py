"""What each page of the console asks of who opens it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

from server.domain.staff import Permission

View = TypeVar("View", bound=Callable[..., Any])

# Of those who are not logged in.
PUBLIC_ENDPOINTS = frozenset(
    {
        "console.login",
        "console.check_login",
        "console.ask_code",
        "console.check_code",
        "console.static",
    }
)

_NEEDS = "frontdesk_needs"


def needs(permission: Permission) -> Callable[[View], View]:
    """Mark a view with what it asks for. One without may only be read."""

    def mark(view: View) -> View:
        setattr(view, _NEEDS, permission)
        return view

    return mark


def permission_of(view: Callable[..., Any]) -> Permission | None:
    """What *view* is marked with."""
    found: Permission | None = getattr(view, _NEEDS, None)
    return found


def needed_permission() -> Permission:
    """What the page of this request asks for."""
    view = current_app.view_functions.get(request.endpoint or "")
    marked = None if view is None else permission_of(view)
    if marked is not None:
        return marked
    # A form that nobody thought about is nobody's but an owner's.
    return Permission.READ if request.method in ("GET", "HEAD", "OPTIONS") else Permission.MANAGE

"""Who on a business's staff may do what."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a member of staff is to the business."""

    OWNER = "owner"
    STAFF = "staff"
    VIEWER = "viewer"


class Permission(StrEnum):
    """Something that a page lets one do."""

    # Look at conversations, knowledge and figures.
    READ = "read"
    # Write to guests, take over, keep notes, answer questions, change knowledge.
    ANSWER = "answer"
    # Users, keys, settings, numbers; export and erase a guest's data.
    MANAGE = "manage"


_MAY = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.STAFF: frozenset({Permission.READ, Permission.ANSWER}),
    Role.OWNER: frozenset(Permission),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether *role* has *permission*."""
    return permission in _MAY[role]

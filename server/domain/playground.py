"""Conversations that staff have with the desk to try it: nobody is told, and they count as no guest's."""

from __future__ import annotations

# What a chat client's name of a test begins with; clients of the API may not use it.
PREFIX = "playground:"


def playground_key(user_id: int, name: str) -> str:
    """The chat key of a user's test."""
    return f"{PREFIX}{user_id}:{name}"


def is_test_key(chat_key: str | None) -> bool:
    """Whether it is a test's."""
    return chat_key is not None and chat_key.startswith(PREFIX)

"""Conversations that staff have with the desk to try it: nobody is told, and they count as no guest's.

A test that is spoken is in the same thread as one that is written: its caller is the chat key.
"""

from __future__ import annotations

# What a chat client's name of a test begins with; clients of the API may not use it.
PREFIX = "playground:"
# What the id of a call begins with that a browser makes; Twilio's begin otherwise.
CALL_PREFIX = "test-"


def playground_key(user_id: int, name: str) -> str:
    """The chat key of a user's test."""
    return f"{PREFIX}{user_id}:{name}"


def is_test_key(chat_key: str | None) -> bool:
    """Whether it is a test's."""
    return chat_key is not None and chat_key.startswith(PREFIX)


def is_test_of(user_id: int, chat_key: str) -> bool:
    """Whether it is one of that user's."""
    return chat_key.startswith(playground_key(user_id, ""))

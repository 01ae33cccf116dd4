"""The list of conversations, and one conversation as a thread."""

from __future__ import annotations

import re
import secrets
from typing import TypeVar

import structlog
from flask import Blueprint, request, url_for

from server.console.auth import current_member
from server.console.display import language_names
from server.console.live import is_fragment, is_newest_part, is_on_screen, stream_url
from server.console.pages import Pages
from server.console.thread_tools import ThreadTools
from server.domain.conversations import Mode
from server.domain.cursors import NEWEST, ListCursor, ThreadCursor
from server.domain.messages import Channel
from server.domain.views import NOBODY, ConversationSummary, Wanted
from server.errors import NotFound, StoreUnavailable
from server.ports.conversations import LINES_ON_A_PAGE
from server.store.labels import LONGEST_LABEL
from server.store.queries import ConsoleQueries
from server.store.seen import SeenMarks

LONGEST_SEARCH = 100
# What of a thread is made anew each time that something happens in it.
NEWEST_LINES = 20
_LARGEST_ID = 2**63 - 1

Filter = TypeVar("Filter", Mode, Channel)

_log = structlog.get_logger(__name__)


def add_conversations(
    blueprint: Blueprint,
    pages: Pages,
    queries: ConsoleQueries,
    seen: SeenMarks,
    tools: ThreadTools,
    stream_port: int | None,
) -> None:
    """Add both pages; each shows what belongs to the tenant of whoever asks, and nothing else.

    A page that is open already is given its live part alone.
    """

    @blueprint.get("/")
    def list_conversations() -> str:
        wanted = _wanted()
        before = request.args.get("before")
        cursor = ListCursor.parse(before) if before else None
        page = queries.conversations(current_member().tenant_id, wanted, cursor)
        return pages.render(
            "_list.html" if is_fragment() else "conversations.html",
            stream=stream_url(stream_port),
            page=page,
            wanted=wanted,
            is_first=cursor is None,
            link=_list_link,
            language_names=language_names,
            **tools.filters(wanted),
        )

    @blueprint.get("/conversations/<int:conversation_id>")
    def show_thread(conversation_id: int) -> str:
        before = request.args.get("before")
        cursor = ThreadCursor.parse(before) if before else NEWEST
        tenant_id = current_member().tenant_id
        limit = NEWEST_LINES if cursor == NEWEST and is_newest_part() else LINES_ON_A_PAGE
        page = queries.thread_with_notes(tenant_id, checked_id(conversation_id), cursor, limit)
        if cursor == NEWEST and is_on_screen():
            note_seen(seen, tenant_id, page.conversation)
        form_id = secrets.token_urlsafe(16)
        return pages.render(
            "_thread.html" if is_fragment() else "thread.html",
            stream=stream_url(stream_port, conversation_id),
            page=page,
            is_newest=cursor == NEWEST,
            form_id=form_id,
            **tools.of(page),
        )


def note_seen(seen: SeenMarks, tenant_id: str, conversation: ConversationSummary) -> None:
    """What is on the screen now is new to nobody; a database that takes no mark still shows its threads."""
    if conversation.new_message_id is None:
        return
    try:
        seen.move(tenant_id, conversation.id, conversation.new_message_id)
    except StoreUnavailable:
        _log.warning("console.seen_not_kept", conversation=conversation.id)


def checked_id(conversation_id: int) -> int:
    """*conversation_id* as it stood in an address.

    Raises:
        NotFound: no database counts that far.
    """
    if conversation_id > _LARGEST_ID:
        raise NotFound("no database counts that far")
    return conversation_id


def _wanted() -> Wanted:
    # A zero byte is the one character that PostgreSQL cannot take.
    text = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    return Wanted(
        text=text,
        needs_human=request.args.get("needs_human") == "1",
        is_new=request.args.get("new") == "1",
        mode=_one_of(Mode, request.args.get("mode")),
        channel=_one_of(Channel, request.args.get("channel")),
        language=_language(request.args.get("language")),
        label=" ".join(request.args.get("label", "").replace("\0", "").split())[:LONGEST_LABEL],
        assigned=_assigned(request.args.get("assigned", "")),
    )


def _one_of(kinds: type[Filter], value: str | None) -> Filter | None:
    """The kind that an address names; one that names none filters nothing."""
    return kinds(value) if value in list(kinds) else None


def _language(value: str | None) -> str | None:
    return value if value and re.fullmatch(r"[a-z]{2,3}", value) else None


def _assigned(value: str) -> int | None:
    """The user that an address names, or `NOBODY`; one that names none filters nothing."""
    if value == "me":
        return current_member().id
    if value == "none":
        return NOBODY
    return int(value) if re.fullmatch(r"[1-9][0-9]{0,17}", value, re.ASCII) else None


def _list_link(wanted: Wanted, before: str | None = None) -> str:
    """The address of the list with these filters."""
    return url_for(
        "console.list_conversations",
        q=wanted.text or None,
        needs_human="1" if wanted.needs_human else None,
        new="1" if wanted.is_new else None,
        mode=wanted.mode,
        channel=wanted.channel,
        language=wanted.language,
        label=wanted.label or None,
        assigned="none" if wanted.assigned == NOBODY else wanted.assigned,
        before=before,
    )

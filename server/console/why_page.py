"""The page that tells why an answer was given. A thread asks for it when a reader wants to know: what is
told of all its answers would be more than the rest of the thread."""

from __future__ import annotations

from flask import Blueprint

from server.console.auth import current_member
from server.console.conversations import checked_id
from server.console.live import is_fragment
from server.console.pages import Pages
from server.console.why import explain
from server.errors import NotFound
from server.store.queries import ConsoleQueries
from server.store.turn_origins import TurnOrigins


def add_why(blueprint: Blueprint, pages: Pages, queries: ConsoleQueries, origins: TurnOrigins) -> None:
    """Add the page that tells it of one reply; a thread is given the part that goes below the reply."""

    @blueprint.get("/conversations/<int:conversation_id>/answers/<int:answer_id>/why")
    def show_why(conversation_id: int, answer_id: int) -> str:
        tenant_id = current_member().tenant_id
        line = queries.reply(tenant_id, checked_id(conversation_id), checked_id(answer_id))
        if line.turn is None:
            raise NotFound("nobody but staff decided on that message")
        return pages.render(
            "_why.html" if is_fragment() else "why.html",
            conversation_id=conversation_id,
            line=line,
            why=explain(origins, tenant_id, line, line.turn),
        )

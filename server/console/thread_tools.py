"""What staff have at hand in a thread: drafts, replies and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from server.console.auth import current_member
from server.console.translations import gettext
from server.console.why import sources
from server.domain.canned import CannedReply, fill
from server.domain.conversations import Mode
from server.domain.drafts import Draft
from server.domain.staff import Permission, may
from server.domain.tenants import TenantSettings
from server.domain.views import NOBODY, ConversationSummary, ThreadPage, Wanted
from server.inbox.suggest import Suggestions
from server.store.canned_replies import CannedReplies
from server.store.labels import Labels
from server.store.tenants import Tenants
from server.store.turn_origins import TurnOrigins


@dataclass(frozen=True, slots=True)
class ThreadTools:
    """Gathers it for the page of a thread."""

    tenants: Tenants
    labels: Labels
    replies: CannedReplies
    origins: TurnOrigins
    suggestions: Suggestions

    def filters(self, wanted: Wanted) -> Mapping[str, object]:
        """What the list of conversations is given to choose from."""
        member = current_member()
        team = {str(one.id): one.name for one in self.labels.team(member.tenant_id) if one.id != member.id}
        chosen = {None: "", NOBODY: "none", member.id: "me"}
        return {
            "known_labels": {label: label for label in self.labels.known(member.tenant_id)},
            "assignees": {"me": gettext("Me"), "none": gettext("Nobody"), **team},
            "chosen_assignee": chosen.get(wanted.assigned, str(wanted.assigned)),
        }

    def of(self, page: ThreadPage) -> Mapping[str, object]:
        """What the templates of a thread are given beside its lines."""
        member = current_member()
        if not may(member.role, Permission.ANSWER):
            return {}
        conversation = page.conversation
        draft = None
        if conversation.mode is not Mode.AI:
            draft = self.suggestions.open_draft(member.tenant_id, conversation.id)
        replies = self._filled(conversation)
        return {
            "draft": draft,
            "draft_sources": () if draft is None else self._sources(draft),
            "changing": draft is not None and request.args.get("draft") == str(draft.id),
            "replies": replies,
            "begun": _begun(draft, replies),
            "known_labels": self.labels.known(member.tenant_id),
            "team": self.labels.team(member.tenant_id),
        }

    def _filled(self, conversation: ConversationSummary) -> list[CannedReply]:
        member = current_member()
        values = _values(self.tenants.get(member.tenant_id).settings, conversation, member.name)
        return [
            CannedReply(reply.id, reply.title, fill(reply.text, values))
            for reply in self.replies.all(member.tenant_id)
        ]

    def _sources(self, draft: Draft) -> object:
        documents = self.origins.documents(
            current_member().tenant_id, {citation.document for citation in draft.citations}
        )
        return sources(draft.citations, draft.made_at, documents)


def _values(settings: TenantSettings, conversation: ConversationSummary, me: str) -> Mapping[str, str]:
    """What the placeholders of replies stand for; empty where nobody knows."""
    return {
        "guest": conversation.guest.name or "",
        "me": me,
        "business": settings.name,
        "phone": next(iter(settings.phone_numbers), "") or settings.transfer_number,
        "hours": settings.hours,
    }


def _begun(draft: Draft | None, replies: list[CannedReply]) -> str:
    """What the address of the page wants the answer to begin with."""
    if draft is not None and request.args.get("draft") == str(draft.id):
        return draft.text
    wanted = request.args.get("reply")
    return next((reply.text for reply in replies if str(reply.id) == wanted), "")

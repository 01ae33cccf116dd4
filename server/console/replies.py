"""The page of replies that staff write often."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.conversations import checked_id
from server.console.forms import written
from server.console.pages import Pages
from server.console.translations import words_of
from server.domain.canned import PLACEHOLDERS, CannedReply
from server.domain.staff import Permission
from server.errors import UnprocessableRequest
from server.store.canned_replies import CannedReplies


def add_replies(blueprint: Blueprint, pages: Pages, replies: CannedReplies) -> None:
    """Add the list with its form, and a page for each reply."""

    def show_all(typed: CannedReply | None, fault: str) -> str:
        found = replies.all(current_member().tenant_id)
        return pages.render(
            "replies.html", replies=found, typed=typed, fault=fault, placeholders=PLACEHOLDERS
        )

    def show_one(reply: CannedReply, fault: str) -> str:
        return pages.render("replies_one.html", reply=reply, fault=fault, placeholders=PLACEHOLDERS)

    @blueprint.get("/replies")
    @needs(Permission.ANSWER)
    def list_replies() -> str:
        return show_all(None, "")

    @blueprint.post("/replies")
    @needs(Permission.ANSWER)
    def add_reply() -> ResponseReturnValue:
        typed = _typed()
        try:
            replies.add(current_member().tenant_id, typed.title, typed.text, current_actor())
        except UnprocessableRequest as error:
            return show_all(typed, words_of(error)), HTTPStatus.UNPROCESSABLE_ENTITY
        return _to_list()

    @blueprint.get("/replies/<int:reply_id>")
    @needs(Permission.ANSWER)
    def show_reply(reply_id: int) -> str:
        return show_one(replies.get(current_member().tenant_id, checked_id(reply_id)), "")

    @blueprint.post("/replies/<int:reply_id>")
    @needs(Permission.ANSWER)
    def change_reply(reply_id: int) -> ResponseReturnValue:
        typed = _typed(checked_id(reply_id))
        try:
            replies.change(current_member().tenant_id, reply_id, typed.title, typed.text, current_actor())
        except UnprocessableRequest as error:
            return show_one(typed, words_of(error)), HTTPStatus.UNPROCESSABLE_ENTITY
        return _to_list()

    @blueprint.post("/replies/<int:reply_id>/delete")
    @needs(Permission.ANSWER)
    def delete_reply(reply_id: int) -> ResponseReturnValue:
        replies.delete(current_member().tenant_id, checked_id(reply_id), current_actor())
        return _to_list()


def _typed(reply_id: int = 0) -> CannedReply:
    return CannedReply(reply_id, request.form.get("title", "").replace("\0", ""), written("text"))


def _to_list() -> ResponseReturnValue:
    return redirect(url_for("console.list_replies"), HTTPStatus.SEE_OTHER)

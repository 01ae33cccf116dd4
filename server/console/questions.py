"""Questions that the desk could not answer: staff answer them once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.conversations import checked_id
from server.console.forms import written
from server.console.pages import Pages
from server.console.translations import words_of
from server.console.try_question import tried
from server.conversation.rehearsal import Rehearsal, Rehearsals
from server.domain.messages import Channel
from server.domain.questions import Question, QuestionState
from server.domain.staff import Permission
from server.errors import Conflict
from server.knowledge.editing import DocumentText, FaultyText, VectorMaker, typed_document
from server.ports.queue import WorkQueue
from server.store.questions import Questions

# As a title a question is no longer than this; staff shorten what is.
_LONGEST_TITLE = 200


def add_questions(
    blueprint: Blueprint,
    pages: Pages,
    questions: Questions,
    vectors: VectorMaker,
    rehearsals: Rehearsals,
    lanes: WorkQueue,
) -> None:
    """Add the list of open questions, and the page of each with its forms."""
    _add_list(blueprint, pages, questions)
    _add_answers(blueprint, pages, questions, vectors, lanes)
    _add_answered(blueprint, pages, questions, rehearsals)


def _add_list(blueprint: Blueprint, pages: Pages, questions: Questions) -> None:
    @blueprint.get("/questions")
    def list_questions() -> str:
        before = request.args.get("before", "")
        place = int(before) if re.fullmatch(r"[0-9]{1,18}", before) else None
        page = questions.page(current_member().tenant_id, place)
        done = request.args.get("done") == "dismissed"
        return pages.render("questions.html", page=page, is_first=place is None, is_dismissed=done)

    @blueprint.post("/questions/<int:question_id>/dismiss")
    @needs(Permission.ANSWER)
    def dismiss_question(question_id: int) -> ResponseReturnValue:
        questions.dismiss(current_member().tenant_id, checked_id(question_id), current_actor())
        return redirect(url_for("console.list_questions", done="dismissed"), HTTPStatus.SEE_OTHER)


def _add_answers(
    blueprint: Blueprint, pages: Pages, questions: Questions, vectors: VectorMaker, lanes: WorkQueue
) -> None:
    def show(
        question: Question, typed: DocumentText, faults: Mapping[str, str], *, tells: bool, told: str = ""
    ) -> str:
        alike = questions.alike(current_member().tenant_id, question)
        return pages.render(
            "questions_one.html",
            question=question,
            alike=alike,
            typed=typed,
            faults=faults,
            tells=tells,
            told=told,
        )

    @blueprint.get("/questions/<int:question_id>")
    def show_question(question_id: int) -> str:
        question = questions.get(current_member().tenant_id, checked_id(question_id))
        return show(question, DocumentText(title=_title(question)), {}, tells=True)

    @blueprint.post("/questions/<int:question_id>")
    @needs(Permission.ANSWER)
    def answer_question(question_id: int) -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        question = questions.get(tenant_id, checked_id(question_id))
        typed = DocumentText(title=" ".join(written("title").split()), body=written("body"))
        tells = request.form.get("tells") == "1"
        try:
            answer = typed_document(f"answer-{question_id}", typed)
            vectors.make(pages.tenants.get(tenant_id), answer)
            settled = questions.answer(tenant_id, question_id, answer, current_actor(), tells_guests=tells)
        except FaultyText as error:
            return show(question, typed, error.faults, tells=tells), HTTPStatus.UNPROCESSABLE_ENTITY
        except Conflict as error:
            question = questions.get(tenant_id, question_id)
            return show(question, typed, {}, tells=tells, told=words_of(error)), HTTPStatus.CONFLICT
        for lane in settled.lanes:
            lanes.put(lane)
        page = url_for("console.show_answered", question_id=question_id)
        return redirect(page, HTTPStatus.SEE_OTHER)


def _add_answered(blueprint: Blueprint, pages: Pages, questions: Questions, rehearsals: Rehearsals) -> None:
    @blueprint.get("/questions/<int:question_id>/answered")
    @needs(Permission.ANSWER)
    def show_answered(question_id: int) -> ResponseReturnValue:
        tenant = pages.tenants.get(current_member().tenant_id)
        question = questions.get(tenant.id, checked_id(question_id))
        if question.state is not QuestionState.ANSWERED:
            return redirect(url_for("console.show_question", question_id=question_id))
        trial = tried(rehearsals, tenant, question.text, Channel.WHATSAPP)
        return pages.render(
            "questions_answered.html",
            question=question,
            trial=trial,
            is_known=trial.rehearsal is not None and _cites(trial.rehearsal, question.document_id),
            told=questions.told(tenant.id, question),
        )


def _title(question: Question) -> str:
    """What a document with its answer could be called: the question itself."""
    return " ".join(question.text.split())[:_LONGEST_TITLE]


def _cites(rehearsal: Rehearsal, document_id: str | None) -> bool:
    reply = rehearsal.reply
    return not reply.handover and any(citation.document == document_id for citation in reply.citations)

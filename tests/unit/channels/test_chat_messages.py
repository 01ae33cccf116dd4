"""The chat API's JSON: what is read from a client, and what it is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.channels.chat_messages import (
    LONGEST_CLIENT_ID,
    LONGEST_MESSAGE,
    ChatMessages,
    configured_models,
    reply_json,
)
from server.domain.conversations import Reply, ReplySource
from server.domain.knowledge import Citation
from server.domain.messages import InboundMessage
from server.errors import AppError, NotFound, UnprocessableRequest
from server.settings import Settings

MESSAGES = ChatMessages(["gpt-4o-mini", "local:llama3"])


def read(**changes: object) -> InboundMessage:
    return MESSAGES.read("1", {"tenant": "1", "conversation": "c1", "message": "Hello"} | changes)


def test_each_call_is_a_message_of_its_own() -> None:
    assert read().provider_id != read().provider_id


def test_the_same_id_is_the_same_message() -> None:
    assert read(message_id="m1").provider_id == read(message_id="m1", message="Hi").provider_id
    assert read(message_id="m1").provider_id != read(message_id="m2").provider_id


def test_wishes_are_kept_with_the_message() -> None:
    message = read(model="gpt-4o-mini", use_rag=False, use_web_search=True)
    assert message.details == {"model": "gpt-4o-mini", "use_rag": False, "use_web_search": True}


def test_null_is_as_good_as_nothing() -> None:
    assert read(model=None, use_rag=None, use_web_search=None, message_id=None).details == {}


def test_a_model_that_is_not_configured_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnprocessableRequest, match="gpt-4o-mini, local:llama3"):
        read(model="gpt-9")


def test_without_any_model_none_can_be_chosen() -> None:
    with pytest.raises(UnprocessableRequest, match="no model"):
        ChatMessages().read("1", {"tenant": "1", "conversation": "c", "message": "Hi", "model": "gpt-4o"})


@pytest.mark.parametrize(
    "changes",
    [
        {"message": " \n"},
        {"message": "x" * (LONGEST_MESSAGE + 1)},
        {"message_id": ""},
        {"message_id": 7},
        {"message_id": "x" * (LONGEST_CLIENT_ID + 1)},
        {"use_rag": "yes"},
        {"use_web_search": 1},
        {"model": ["gpt-4o-mini"]},
    ],
)
def test_what_cannot_be_used_is_named(changes: dict[str, object]) -> None:
    with pytest.raises(UnprocessableRequest, match=next(iter(changes))):
        read(**changes)


def test_another_tenant_does_not_exist_for_a_key() -> None:
    with pytest.raises(NotFound):
        read(tenant="2")


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
fields = ["tenant", "conversation", "message", "message_id", "model", "use_rag", "use_web_search"]


@given(st.dictionaries(st.sampled_from(fields), anything))
def test_whatever_is_sent_is_a_message_or_an_error_in_words(body: dict[str, Any]) -> None:
    try:
        message = MESSAGES.read("1", {"tenant": "1"} | body)
    except AppError as error:
        said = str(error)
    else:
        said = message.text
    # As every database can keep it.
    assert said.strip()
    assert "\x00" not in said
    assert said.encode()


def test_a_reply_is_told_with_its_sources_and_what_may_be_asked_next() -> None:
    reply = Reply(
        text="From 15:00.",
        source=ReplySource.MODEL,
        language="en",
        citations=[Citation("check-in", "Check-in", 0.912345)],
        quick_replies=["Is there parking?"],
        timings_ms={"model": 12.5},
    )
    assert reply_json(reply) == {
        "reply": "From 15:00.",
        "citations": [{"document": "check-in", "title": "Check-in", "score": 0.9123}],
        "handover": False,
        "source": "model",
        "quick_replies": ["Is there parking?"],
        "timings_ms": {"model": 12.5},
    }


def test_where_staff_answer_the_reply_is_empty() -> None:
    told = reply_json(None)
    assert (told["reply"], told["handover"]) == ("", True)


def test_the_models_to_choose_from_are_those_of_the_settings() -> None:
    settings = Settings(
        openai_base_url="http://127.0.0.1:1/v1",
        ai_model="a",
        ai_fallback_models="b, local:c",
        ai_cheap_model="b",
    )
    assert configured_models(settings) == ("a", "b", "local:c")
    assert configured_models(Settings(openai_api_key=None, openai_base_url="")) == ()

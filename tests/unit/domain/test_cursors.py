"""A cursor comes back from an address as it went in, and nothing else passes for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.cursors import NEWEST, ListCursor, ThreadCursor
from server.errors import InvalidRequest

IDS = st.integers(min_value=0, max_value=10**18 - 1)
TIMES = st.integers(min_value=0, max_value=10**16).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


@given(TIMES, IDS)
def test_a_list_cursor_comes_back(at: datetime, row_id: int) -> None:
    cursor = ListCursor(at, row_id)
    assert ListCursor.parse(str(cursor)) == cursor


@given(IDS, IDS)
def test_a_thread_cursor_comes_back(inbound_id: int, outbox_id: int) -> None:
    cursor = ThreadCursor(inbound_id, outbox_id)
    assert ThreadCursor.parse(str(cursor)) == cursor


def test_the_newest_place_can_be_written_too() -> None:
    assert ThreadCursor.parse(str(NEWEST)) == NEWEST


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".1", "1.2.3", "-1.2", "1.2 ", "١.٢", "1" * 19 + ".1", "a.b"]
)
def test_anything_else_is_refused(text: str) -> None:
    for cursor in (ListCursor, ThreadCursor):
        with pytest.raises(InvalidRequest):
            cursor.parse(text)


@given(st.text(alphabet="0123456789.-x", max_size=40))
def test_a_made_up_cursor_is_read_or_refused_and_never_fails(text: str) -> None:
    try:
        ListCursor.parse(text)
        ThreadCursor.parse(text)
    except InvalidRequest:
        pass

"""What is read from a sidecar's words, whatever they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.numbers import NumberState, NumberView, read_number

MOMENT_MS = 1_795_000_000_000
MOMENT = datetime.fromtimestamp(MOMENT_MS / 1000, UTC)
NAMES = (
    "state",
    "me",
    "qr",
    "pairingCode",
    "reason",
    "since",
    "linked",
    "lastInboundAt",
    "lastAckAt",
    "probeOk",
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("pn", "lid")), inner),
    max_leaves=5,
)


@given(*[st.dictionaries(st.sampled_from(NAMES), anything)] * 2)
def test_no_words_break_a_page(look: dict[str, Any], health: dict[str, Any]) -> None:
    number = read_number(look, health)
    assert isinstance(number, NumberView)
    assert number.phone == "" or number.phone[1:].isdecimal()


def test_an_open_number_is_proved_by_the_probe_alone() -> None:
    look, health = {"state": "open"}, {"linked": True, "since": None}
    assert read_number(look, health | {"probeOk": True}).is_proved
    assert not read_number(look, health | {"probeOk": False}).is_proved
    assert not read_number(look, health | {"probeOk": None}).is_proved
    assert not read_number({"state": "deaf"}, health | {"probeOk": True}).is_proved


def test_a_number_tells_whose_it_is_and_what_came_last() -> None:
    number = read_number(
        {"state": "open", "me": {"pn": "972501234567@s.whatsapp.net", "lid": "1@lid"}},
        {"linked": True, "lastInboundAt": MOMENT_MS, "lastAckAt": MOMENT_MS, "probeOk": True},
    )
    assert number.phone == "+972501234567"
    assert (number.last_inbound_at, number.last_ack_at) == (MOMENT, MOMENT)


@pytest.mark.parametrize(("linked", "since"), [(True, MOMENT), (False, None)])
def test_only_a_number_that_is_linked_is_away(linked: bool, since: datetime | None) -> None:
    number = read_number({"state": "connecting"}, {"linked": linked, "since": MOMENT_MS})
    assert number.away_since == since


def test_a_word_that_is_not_known_is_no_fault() -> None:
    assert read_number({"state": "levitating"}, {}).state is NumberState.UNKNOWN
    assert read_number({}, {}).state is NumberState.UNKNOWN


@pytest.mark.parametrize(
    ("state", "linked", "wanted"),
    [("disconnected", False, True), ("open", True, False), ("deaf", True, False), ("blocked", True, True)],
)
def test_a_number_is_linked_anew_only_where_that_mends_something(
    state: str, linked: bool, wanted: bool
) -> None:
    assert read_number({"state": state}, {"linked": linked}).is_to_be_linked is wanted

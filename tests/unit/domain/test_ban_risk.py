"""How much what a number sends looks like what WhatsApp bans."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.ban_risk import WEIGHTS, BanRisk, RiskLevel, RiskSign, SendingFacts, ban_risk

counts = st.integers(min_value=0, max_value=100_000)
any_facts = st.builds(SendingFacts, **{field.name: counts for field in fields(SendingFacts)})
# What is all the worse the more there is of it.
BAD = ("time_locks", "strangers", "undelivered", "refused", "last_hour")


@given(any_facts)
def test_it_is_a_share_and_names_its_signs_the_weightiest_first(facts: SendingFacts) -> None:
    risk = ban_risk(facts)
    assert 0 <= risk.value <= 1
    assert len(set(risk.signs)) == len(risk.signs)
    assert risk.value <= sum(WEIGHTS[sign] for sign in risk.signs) + 0.005
    assert risk.signs or risk.value == 0


@given(any_facts, st.sampled_from(BAD), st.integers(min_value=1, max_value=1000))
def test_more_of_what_is_bad_never_lowers_it(facts: SendingFacts, bad: str, more: int) -> None:
    worse = replace(facts, **{bad: getattr(facts, bad) + more})
    assert ban_risk(worse).value >= ban_risk(facts).value


@given(any_facts)
def test_the_same_done_among_more_messages_never_raises_it(facts: SendingFacts) -> None:
    calmer = replace(facts, sent=facts.sent + 100, delivered=facts.delivered + 100)
    assert ban_risk(calmer).value <= ban_risk(facts).value


@pytest.mark.parametrize(
    "facts",
    [
        SendingFacts(),
        # A busy house, whose guests' phones are off at night.
        SendingFacts(sent=900, last_hour=110, delivered=700, undelivered=200, strangers=40),
    ],
)
def test_who_answers_guests_has_none(facts: SendingFacts) -> None:
    assert ban_risk(facts) == BanRisk(0.0, [])


def test_one_refusal_for_first_contacts_is_worth_a_look() -> None:
    risk = ban_risk(SendingFacts(sent=50, delivered=50, time_locks=1))
    assert (risk.level, risk.signs) == (RiskLevel.RAISED, [RiskSign.TIME_LOCK])


def test_refusals_that_go_on_are_time_to_stop() -> None:
    assert ban_risk(SendingFacts(sent=50, delivered=50, time_locks=4)).level is RiskLevel.HIGH


def test_half_of_all_to_strangers_is_worth_a_look() -> None:
    risk = ban_risk(SendingFacts(sent=40, delivered=40, strangers=20))
    assert (risk.level, risk.signs) == (RiskLevel.RAISED, [RiskSign.STRANGERS])


def test_of_very_few_messages_a_share_says_little() -> None:
    assert ban_risk(SendingFacts(sent=1, strangers=1)).level is RiskLevel.LOW

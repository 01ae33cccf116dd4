"""Which guests wait for a person, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.domain.playground import playground_key
from server.store.needs import MOST_NEEDS, Need, Needs
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.threads import ThreadBuilder


@pytest.fixture(autouse=True)
def businesses(tenants: Tenants) -> None:
    assert tenants.get("1")
    assert tenants.get("2")


def test_who_waits_is_told_newest_need_first_and_of_one_business_alone(
    database: Database, clock: FakeClock
) -> None:
    first, second, calm = (ThreadBuilder(database, clock.now()) for _ in range(3))
    theirs = ThreadBuilder(database, clock.now(), tenant_id="2")
    second.at += timedelta(minutes=1)
    for thread in (first, second, theirs):
        thread.needs_a_person()
    assert Needs(database).of("1") == [Need(second.id, second.at), Need(first.id, first.at)]
    assert Needs(database).of("2") == [Need(theirs.id, theirs.at)]
    calm.needs_a_person()
    second.set(needs_human_since=None)
    assert {need.conversation_id for need in Needs(database).of("1")} == {first.id, calm.id}


def test_a_test_of_staff_s_waits_for_nobody_and_a_guest_of_the_chat_does(
    database: Database, clock: FakeClock
) -> None:
    test = ThreadBuilder(database, clock.now(), chat_key=playground_key(1, "x"), phone=None)
    guest = ThreadBuilder(database, clock.now(), chat_key="website-7", phone=None)
    for thread in (test, guest):
        thread.needs_a_person()
    assert [need.conversation_id for need in Needs(database).of("1")] == [guest.id]


def test_of_very_many_the_newest_are_told(database: Database, clock: FakeClock) -> None:
    threads = [
        ThreadBuilder(database, clock.now() + timedelta(seconds=number)) for number in range(MOST_NEEDS + 1)
    ]
    for thread in threads:
        thread.needs_a_person()
    told = [need.conversation_id for need in Needs(database).of("1")]
    assert told == [thread.id for thread in reversed(threads[1:])]

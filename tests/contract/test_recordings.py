"""Which calls were recorded: known from before the first sound, until it is too long ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from server.domain.calls import CallTurn
from server.domain.conversations import Reply, ReplySource
from server.domain.knowledge import Citation
from server.domain.tenants import TenantSettings
from server.errors import NotFound
from server.ports.recordings import RecordingStore
from server.store.call_log import CallQueries
from server.store.calls import Calls
from server.store.recordings import Recordings
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.fakes.recordings import FakeRecordings

DESK, CALLER = "+97231234567", "+972501111111"


@pytest.fixture
def calls(database: Database, clock: FakeClock) -> Calls:
    """Two businesses, the first of which has been called."""
    tenants = Tenants(database, clock)
    tenants.add("1", TenantSettings(name="Harbour House", phone_numbers=(DESK,)))
    tenants.add("2", TenantSettings(name="Hill Inn"))
    calls = Calls(database, clock, "http://desk.example")
    calls.ring("CA1", DESK, CALLER, 8)
    return calls


@pytest.fixture
def recordings(calls: Calls, database: Database, clock: FakeClock) -> Recordings:
    """The call may be recorded."""
    return Recordings(database, clock)


@pytest.fixture
def log(database: Database) -> CallQueries:
    """Who looks from outside."""
    return CallQueries(database)


def test_each_recording_has_a_name_of_its_own(recordings: Recordings) -> None:
    for store in stores(recordings):
        assert store.begin("1", "CA1") != store.begin("1", "CA1")


def test_one_that_nobody_knows_may_be_finished(recordings: Recordings) -> None:
    for store in stores(recordings):
        store.finish("unknown", 1.0)


def stores(recordings: Recordings) -> Sequence[RecordingStore]:
    """Each that keeps the port."""
    return [recordings, FakeRecordings()]


def test_a_recording_is_known_before_it_is_whole(
    recordings: Recordings, log: CallQueries, clock: FakeClock
) -> None:
    begun_at = clock.now()
    name = recordings.begin("1", "CA1")
    (known,) = log.call("1", "CA1").recordings
    assert (known.name, known.begun_at, known.seconds) == (name, begun_at, None)
    recordings.finish(name, 12.5)
    (known,) = log.call("1", "CA1").recordings
    assert known.seconds == 12.5


def test_a_call_that_came_back_has_two_in_their_order(
    recordings: Recordings, log: CallQueries, clock: FakeClock
) -> None:
    names = []
    for _ in range(2):
        names.append(recordings.begin("1", "CA1"))
        clock.advance(60)
    assert [known.name for known in log.call("1", "CA1").recordings] == names


def test_what_is_too_old_is_forgotten_and_nothing_else(
    recordings: Recordings, log: CallQueries, clock: FakeClock
) -> None:
    recordings.begin("1", "CA1")
    clock.advance(60)
    newer = recordings.begin("1", "CA1")
    assert recordings.forget(clock.now() - timedelta(seconds=30)) == 1
    assert [known.name for known in log.call("1", "CA1").recordings] == [newer]
    assert recordings.forget(clock.now() - timedelta(seconds=30)) == 0


def test_a_call_is_told_with_what_was_said(calls: Calls, log: CallQueries, clock: FakeClock) -> None:
    call = calls.find("CA1", 8)
    assert call is not None
    cited = Citation("breakfast", "Breakfast", 0.9)
    say(calls, clock, 1, "", text="Hello.", language="en")
    say(
        calls,
        clock,
        2,
        "When is breakfast?",
        told="At seven.",
        text="At seven. It is free.",
        citations=[cited],
        steps_ms={"decided": 4.5},
    )
    calls.end("CA1", "completed", 9)
    found = log.call("1", "CA1")
    assert (found.caller, found.called, found.conversation_id) == (CALLER, DESK, call.conversation_id)
    assert (found.ended_because, found.seconds) == ("completed", 9)
    assert [(turn.words, turn.told, turn.intended) for turn in found.turns] == [
        ("", "Hello.", None),
        ("When is breakfast?", "At seven.", "At seven. It is free."),
    ]
    assert found.turns[1].citations == [cited]
    assert found.turns[1].steps_ms == {"decided": 4.5}
    assert found.recordings == []


def say(calls: Calls, clock: FakeClock, number: int, words: str, *, told: str = "", **reply: object) -> None:
    call = calls.find("CA1", 8)
    assert call is not None
    values = {"source": ReplySource.MODEL, "language": "en", **reply}
    made = Reply(**values)  # type: ignore[arg-type]
    started_at = clock.now()
    clock.advance(2)
    calls.record(
        call,
        CallTurn(
            number=number,
            words=words,
            reply=made,
            told=told or made.text,
            started_at=started_at,
            ended_at=clock.now(),
        ),
    )


@pytest.mark.parametrize(("tenant", "call"), [("2", "CA1"), ("1", "CA2")])
@pytest.mark.usefixtures("calls")
def test_a_call_of_another_tenant_or_none_is_not_there(log: CallQueries, tenant: str, call: str) -> None:
    with pytest.raises(NotFound):
        log.call(tenant, call)

"""Two conversations become one while others are at work on them."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from server.domain.messages import GuestAddress
from server.domain.tenants import TenantSettings
from server.inbox.merge import Merger
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.leases import Leases, make_ownership
from server.store.models import ConversationRow, InboundRow
from server.store.session import Database
from server.store.tenants import Tenants
from simulators.lab import wait_until
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message
from tests.support.databases import PostgresTemplate

LID = "111@lid"
PHONE = "972501111111@s.whatsapp.net"


class Woken:
    """A queue that keeps what it was given."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def put(self, key: str) -> None:
        self.keys.append(key)


class Pair:
    """A guest known under both names apart, who has turned out to be one person."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.database = database
        self.inbox = Inbox(database, clock)
        self.identities = Identities(database, clock)
        self.leaving = self.says(GuestAddress(PHONE, phone=PHONE))
        self.staying = self.says(GuestAddress(LID, lid=LID))
        self.identities.link("1", LID, PHONE)
        (self.guest,) = self.identities.due_merges(10)

    def says(self, address: GuestAddress) -> int:
        return self.inbox.save("1", [a_message("Hello", address=address)])[0].conversation_id

    def conversations(self) -> list[int]:
        with self.database.read() as session:
            return list(session.scalars(select(ConversationRow.id).order_by(ConversationRow.id)))


@pytest.fixture
def pair(database: Database, clock: FakeClock, tenants: Tenants) -> Pair:
    return Pair(database, clock)


@pytest.mark.parametrize("busy", ["conversation:1", "conversation:2", "outbox:conversation:1"])
async def test_what_somebody_works_on_is_merged_later(pair: Pair, leases: Leases, busy: str) -> None:
    woken = Woken()
    merger = Merger(leases, pair.identities, woken)
    held = leases.claim(busy)
    assert held is not None
    await merger.run(str(pair.guest))
    assert pair.conversations() == [pair.leaving, pair.staying]
    leases.release(held)
    await merger.run(str(pair.guest))
    assert pair.conversations() == [pair.staying]
    assert woken.keys == [str(pair.staying)]


async def test_a_merge_that_waits_for_one_lease_gives_the_others_back(pair: Pair, leases: Leases) -> None:
    held = leases.claim("outbox:conversation:2")
    assert held is not None
    await Merger(leases, pair.identities, Woken()).run(str(pair.guest))
    assert leases.claim("conversation:1") is not None
    assert leases.claim("conversation:2") is not None


async def test_two_who_merge_at_once_merge_once(
    pair: Pair, database: Database, leases: Leases, tmp_path: Path
) -> None:
    other = Leases(database, make_ownership(database, tmp_path))
    woken = Woken()
    await asyncio.gather(
        *(Merger(own, pair.identities, woken).run(str(pair.guest)) for own in (leases, other))
    )
    await Merger(leases, pair.identities, woken).run(str(pair.guest))
    assert pair.conversations() == [pair.staying]
    other.close()


def test_a_message_that_is_being_saved_moves_along(
    postgres_template: PostgresTemplate, clock: FakeClock, tmp_path: Path
) -> None:
    with postgres_template.fresh() as url:
        database = Database(url)
        tenants = Tenants(database, clock)
        tenants.add("1", TenantSettings(name="Harbour House"))
        pair = Pair(database, clock)
        merge = pair.identities.find_merge(pair.guest)
        assert merge is not None
        merging = threading.Thread(target=pair.identities.merge, args=([], merge))
        with database.write() as session:
            # Saved, not committed: the merge has to wait for it.
            session.execute(
                text(
                    "INSERT INTO inbound_messages (tenant_id, conversation_id, guest_id, channel, from_me,"
                    " provider_id, sequence, reply_to, kind, text, details, sent_at, received_at, attempts,"
                    " due_at, unanswered_because) SELECT tenant_id, conversation_id, guest_id, channel,"
                    " from_me, 'LATE', sequence, reply_to, kind, text, details, sent_at, received_at, 0,"
                    " due_at, '' FROM inbound_messages WHERE conversation_id = :leaving"
                ),
                {"leaving": pair.leaving},
            )
            merging.start()
            wait_until(lambda: _is_somebody_blocked(database), 10, "the merge to wait for the message")
        merging.join(10)
        with database.read() as session:
            places = set(session.scalars(select(InboundRow.conversation_id)))
            late = session.scalar(select(func.count()).where(InboundRow.provider_id == "LATE"))
        assert (places, late) == ({pair.staying}, 1)
        database.close()


def _is_somebody_blocked(database: Database) -> bool:
    waits = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with database.read() as session:
        return bool(session.scalar(waits))

"""What guests ask most is answered before the next one asks."""

from __future__ import annotations

from server.conversation.answer_cache import AnswerCache
from server.conversation.precompute import precompute
from server.domain.conversations import ReplySource
from server.domain.messages import Channel, GuestAddress
from server.store.inbox import Inbox
from server.store.queries import ConsoleQueries
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.answers import HOUSE
from tests.fakes.clock import FakeClock
from tests.fakes.language_model import FakeModel
from tests.support.builders import a_message
from tests.support.engines import an_engine, the_models
from tests.support.turns import NOW, a_turn


def asks(database: Database, guest: int, text: str, **changes: object) -> None:
    address = GuestAddress(f"{guest}@lid", lid=f"{guest}@lid")
    Inbox(database, FakeClock()).save("1", [a_message(text, address=address, **changes)])


def test_what_several_guests_wrote_is_found_the_commonest_first(database: Database, tenants: Tenants) -> None:
    for guest in range(5):
        asks(database, guest, "When is breakfast?")
    for guest in range(3):
        asks(database, guest, "Is there parking?")
    for _ in range(9):
        asks(database, 1, "What one guest asks again and again")
    asks(database, 1, "What the business wrote itself", from_me=True)
    found = ConsoleQueries(database).most_asked("1", 10)
    assert found == [(Channel.WHATSAPP, "When is breakfast?"), (Channel.WHATSAPP, "Is there parking?")]
    assert ConsoleQueries(database).most_asked("1", 1) == found[:1]
    assert ConsoleQueries(database).most_asked("2", 10) == []


async def test_the_first_guest_finds_the_answer_made() -> None:
    model = FakeModel("Breakfast is from 7:30 to 10:30. [p1]")
    engine = an_engine(the_models(model), cache=AnswerCache(60, 10))
    tenant = a_turn("").tenant
    await precompute(engine, tenant, [(Channel.CHAT, "When is breakfast?")], NOW)
    reply = await engine.answer(a_turn("When is breakfast?"))
    assert reply.source is ReplySource.CACHE
    assert tenant.id == HOUSE.id


async def test_a_question_of_another_channel_is_answered_for_that_channel() -> None:
    model = FakeModel(*["Breakfast is from 7:30 to 10:30. [p1]"] * 2)
    engine = an_engine(the_models(model), cache=AnswerCache(60, 10))
    await precompute(engine, a_turn("").tenant, [(Channel.WHATSAPP, "When is breakfast?")], NOW)
    assert (await engine.answer(a_turn("When is breakfast?"))).source is ReplySource.MODEL

"""A second factor is a secret that nobody reads in the database, and each of its codes opens once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from server.adapters.aes_seal import AesSeal
from server.domain.modes import OPERATOR
from server.domain.totp import STEP_S, code_of, step_at
from server.errors import SettingsError
from server.store.audit import AuditLog
from server.store.models import UserRow
from server.store.second_factors import SecondFactors
from server.store.session import Database
from server.store.users import User, Users
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.usefixtures("tenants")


@pytest.fixture
def users(database: Database, clock: FakeClock) -> Users:
    return Users(database, clock, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def noa(users: Users) -> User:
    return users.add("1", "Noa", "x")


@pytest.fixture
def factors(database: Database, clock: FakeClock) -> SecondFactors:
    return SecondFactors(database, clock, AesSeal(bytes(32)))


def switch_on(factors: SecondFactors, user: User, clock: FakeClock) -> bytes:
    """Returns the secret; the code that it took is of the step before."""
    offered = factors.offer(user)
    secret = factors.reveal(user, offered)
    assert factors.switch_on(user, offered, code_of(secret, step_at(clock.now()) - 1), OPERATOR)
    return secret


def test_it_is_on_after_a_right_code_and_not_after_a_wrong_one(
    factors: SecondFactors, users: Users, noa: User, clock: FakeClock, database: Database
) -> None:
    assert not factors.switch_on(noa, factors.offer(noa), "000000", OPERATOR)
    assert not users.get("1", noa.id).has_second_factor
    switch_on(factors, noa, clock)
    assert users.get("1", noa.id).has_second_factor
    users.drop_second_factor("1", noa.id, OPERATOR)
    users.drop_second_factor("1", noa.id, OPERATOR)
    assert not users.get("1", noa.id).has_second_factor
    noted = [entry.action for entry in AuditLog(database).page("1").entries]
    assert noted == ["second_factor.off", "second_factor.on", "user.added"]


def test_each_code_is_good_once(factors: SecondFactors, noa: User, clock: FakeClock) -> None:
    secret = switch_on(factors, noa, clock)
    step = step_at(clock.now())
    assert not factors.accepts(noa, code_of(secret, step - 1))
    assert factors.accepts(noa, code_of(secret, step))
    assert not factors.accepts(noa, code_of(secret, step))
    clock.advance(STEP_S)
    assert not factors.accepts(noa, code_of(secret, step))
    assert factors.accepts(noa, code_of(secret, step + 1))
    assert not factors.accepts(noa, "")


def test_of_two_who_send_one_code_at_once_one_gets_in(
    factors: SecondFactors, noa: User, clock: FakeClock
) -> None:
    code = code_of(switch_on(factors, noa, clock), step_at(clock.now()))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: factors.accepts(noa, code), range(4)))
    assert sorted(answers) == [False, False, False, True]


def test_without_a_second_factor_no_code_is_good(
    factors: SecondFactors, users: Users, noa: User, clock: FakeClock
) -> None:
    code = code_of(switch_on(factors, noa, clock), step_at(clock.now()))
    users.drop_second_factor("1", noa.id, OPERATOR)
    assert not factors.accepts(noa, code)


def test_the_database_does_not_hold_the_secret_itself(
    factors: SecondFactors, noa: User, clock: FakeClock, database: Database
) -> None:
    secret = switch_on(factors, noa, clock)
    with database.read() as session:
        kept = session.scalars(select(UserRow.totp_secret)).one()
    assert kept is not None
    assert secret not in kept


def test_a_secret_of_another_user_or_another_key_is_not_read(
    factors: SecondFactors, users: Users, noa: User, clock: FakeClock, database: Database
) -> None:
    secret = switch_on(factors, noa, clock)
    dan = users.add("1", "Dan", "x")
    with pytest.raises(SettingsError):
        factors.switch_on(dan, factors.offer(noa), "000000", OPERATOR)
    moved = SecondFactors(database, clock, AesSeal(bytes(range(32))))
    with pytest.raises(SettingsError, match="frontdesk user reset"):
        moved.accepts(noa, code_of(secret, step_at(clock.now())))

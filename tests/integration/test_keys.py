"""A key opens its business until it is revoked, in every process at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from server.commands.context import CommandContext
from server.commands.keys import keys as command_group
from server.domain.modes import Actor, ModeBy
from server.errors import NotFound, UnprocessableRequest
from server.store.audit import AuditLog
from server.store.keys import ApiKeys
from server.store.session import Database
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.usefixtures("tenants")
DAN = Actor(ModeBy.CONSOLE, "Dan")


@pytest.fixture
def keys(database: Database, clock: FakeClock) -> ApiKeys:
    return ApiKeys(database, clock)


def test_a_revoked_key_opens_nothing_from_then_on_in_any_process(
    keys: ApiKeys, database: Database, clock: FakeClock
) -> None:
    key, other = keys.create("1", "website", DAN), keys.create("1")
    another_process = ApiKeys(database, clock)
    assert keys.find_tenant(key) == another_process.find_tenant(key) == "1"
    found = next(one for one in keys.all("1") if one.name == "website")
    keys.revoke("1", found.id, DAN)
    assert keys.find_tenant(key) is another_process.find_tenant(key) is None
    assert keys.find_tenant(other) == "1"


def test_keys_are_listed_by_name_and_never_in_the_clear(
    keys: ApiKeys, database: Database, clock: FakeClock
) -> None:
    key = keys.create("1", " website ", DAN)
    keys.create("2", "theirs")
    (listed,) = keys.all("1")
    assert (listed.name, listed.created_at, listed.revoked_at) == ("website", clock.now(), None)
    assert key not in repr(listed)
    assert key not in repr(AuditLog(database).page("1"))


def test_making_and_revoking_is_in_the_audit_log_once(keys: ApiKeys, database: Database) -> None:
    keys.create("1", "website", DAN)
    for _ in range(2):
        keys.revoke("1", 1, DAN)
    noted = [(entry.actor, entry.action, entry.subject) for entry in AuditLog(database).page("1").entries]
    subject = "key 1: website"
    assert noted == [("console: Dan", "key.revoked", subject), ("console: Dan", "key.made", subject)]


def test_a_key_of_another_business_is_not_there(keys: ApiKeys) -> None:
    key = keys.create("1")
    with pytest.raises(NotFound):
        keys.revoke("2", 1, DAN)
    assert keys.find_tenant(key) == "1"
    assert keys.all("2") == []


@pytest.mark.parametrize("name", ["n" * 65, "a\nb", "a\0b"])
def test_a_name_that_cannot_be_shown_is_refused(keys: ApiKeys, name: str) -> None:
    with pytest.raises(UnprocessableRequest):
        keys.create("1", name)
    assert keys.all("1") == []


@pytest.fixture
def command(database: Database, clock: FakeClock) -> Callable[..., Result]:
    """Runs ``frontdesk keys`` on the test's own database."""
    context = CommandContext()
    context.__dict__ |= {"database": database, "clock": clock}

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(command_group, arguments, obj=context)

    return run


def test_keys_are_made_listed_and_revoked_by_commands(command: Callable[..., Result], keys: ApiKeys) -> None:
    key = command("create", "--tenant", "1", "--name", "website").output.splitlines()[-1]
    assert keys.find_tenant(key) == "1"
    assert command("list", "--tenant", "1").output == "1\twebsite\t2026-11-21\tin use\n"
    assert isinstance(command("revoke", "1", "--tenant", "2").exception, NotFound)
    assert command("revoke", "1", "--tenant", "1").exit_code == 0
    assert keys.find_tenant(key) is None
    assert command("list", "--tenant", "1").output == "1\twebsite\t2026-11-21\trevoked 2026-11-21\n"
    assert isinstance(command("list", "--tenant", "99").exception, NotFound)

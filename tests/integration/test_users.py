"""Staff are known by name and password, and only the right pair will do."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result
from sqlalchemy import select

from server.commands.users import user
from server.errors import AppError, NotFound, UnprocessableRequest
from server.store.models import UserRow
from server.store.session import Database
from server.store.users import Users
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.usefixtures("tenants")


class CountingHasher(PasswordHasher):
    """A cheap hasher that counts what it checks."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checked: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        self.checked.append(str(hash))
        return super().verify(hash, password)


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def users(database: Database, clock: FakeClock, hasher: CountingHasher) -> Users:
    return Users(database, clock, hasher)


def test_name_and_password_find_the_user(users: Users) -> None:
    added = users.add("1", "Noa", "right")
    assert users.verify("Noa", "right") == added
    assert users.verify(" Noa ", "right") == added
    assert users.find(added.id) == added
    assert added.tenant_id == "1"


def test_a_wrong_password_and_an_unknown_name_cost_the_same(users: Users, hasher: CountingHasher) -> None:
    users.add("1", "Noa", "right")
    assert users.verify("Noa", "wrong") is None
    assert users.verify("nobody", "right") is None
    real, decoy = hasher.checked
    # The same algorithm, version, costs and lengths: the same work.
    assert [len(part) for part in decoy.split("$")] == [len(part) for part in real.split("$")]
    assert decoy.split("$")[:4] == real.split("$")[:4]


def test_the_password_itself_is_kept_nowhere(users: Users, database: Database) -> None:
    users.add("1", "Noa", "a password")
    with database.read() as session:
        row = session.scalars(select(UserRow)).one()
    assert row.password_hash.startswith("$argon2id$")
    assert "a password" not in row.password_hash


def test_a_name_is_taken_for_all_businesses(users: Users) -> None:
    users.add("1", "Noa", "one")
    with pytest.raises(UnprocessableRequest, match="taken"):
        users.add("2", "Noa", "two")
    assert users.verify("Noa", "two") is None


@pytest.mark.parametrize("name", ["", "  ", "n" * 129, "No\na", "No\0a"])
def test_a_name_that_cannot_be_typed_is_refused(users: Users, name: str) -> None:
    with pytest.raises(UnprocessableRequest):
        users.add("1", name, "password")


def test_nobody_works_for_a_business_that_is_not_there(users: Users) -> None:
    with pytest.raises(NotFound):
        users.add("99", "Noa", "password")


def test_a_new_password_replaces_the_old_one_and_its_mark(users: Users) -> None:
    added = users.add("1", "Noa", "old")
    changed = users.set_password("Noa", "new")
    assert users.verify("Noa", "old") is None
    assert users.verify("Noa", "new") == changed
    assert changed.password_mark != added.password_mark
    with pytest.raises(NotFound):
        users.set_password("nobody", "new")


@pytest.fixture
def command(database: Database, clock: FakeClock) -> Callable[..., Result]:
    """Runs ``frontdesk user`` on the test's own database."""
    context = SimpleNamespace(
        database=database, clock=clock, settings=SimpleNamespace(console_url="http://desk")
    )

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(user, arguments, obj=context)

    return run


def test_user_add_prints_a_password_that_works_as_its_last_line(
    command: Callable[..., Result], users: Users
) -> None:
    result = command("add", "Noa", "--tenant", "2")
    assert result.exit_code == 0
    found = users.verify("Noa", result.output.splitlines()[-1])
    assert found is not None
    assert found.tenant_id == "2"


def test_user_reset_prints_a_new_password(command: Callable[..., Result], users: Users) -> None:
    users.add("1", "Noa", "forgotten")
    result = command("reset", "Noa")
    assert users.verify("Noa", result.output.splitlines()[-1]) is not None
    assert users.verify("Noa", "forgotten") is None


@pytest.mark.parametrize(
    "arguments", [("add", "Noa", "--tenant", "99"), ("add", " ", "--tenant", "1"), ("reset", "nobody")]
)
def test_a_command_that_cannot_go_on_says_why(
    command: Callable[..., Result], arguments: tuple[str, ...]
) -> None:
    result = command(*arguments)
    assert isinstance(result.exception, AppError)
    assert str(result.exception)

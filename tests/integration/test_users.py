"""Staff are known by name and password, and only the right pair will do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result
from sqlalchemy import select

from server.adapters.aes_seal import AesSeal
from server.commands.context import CommandContext
from server.commands.users import user
from server.domain.modes import OPERATOR, Actor, ModeBy
from server.domain.staff import Role
from server.domain.totp import code_of, step_at
from server.errors import AppError, Conflict, NotFound, UnprocessableRequest
from server.store.audit import AuditLog
from server.store.models import UserRow
from server.store.second_factors import SecondFactors
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
    changed = users.set_password(added, "new", OPERATOR)
    assert users.verify("Noa", "old") is None
    assert users.verify("Noa", "new") == changed
    assert changed.password_mark != added.password_mark
    with pytest.raises(NotFound):
        users.set_password(replace(added, tenant_id="2"), "newer", OPERATOR)
    assert users.verify("Noa", "new") == changed


def test_who_is_disabled_cannot_log_in_and_has_no_session(users: Users, clock: FakeClock) -> None:
    users.add("1", "Dan", "right")
    noa = users.add("1", "Noa", "right")
    began = clock.now()
    assert noa.accepts_session_of(began)
    clock.advance(1)
    users.disable("1", noa.id, OPERATOR)
    assert users.verify("Noa", "right") is None
    assert not users.get("1", noa.id).accepts_session_of(began)
    users.enable("1", noa.id, OPERATOR)
    assert users.verify("Noa", "right") is not None
    # The session of before does not come back.
    assert not users.get("1", noa.id).accepts_session_of(began)
    assert users.get("1", noa.id).accepts_session_of(clock.now())


def test_sessions_that_began_before_an_end_are_over(users: Users, clock: FakeClock) -> None:
    noa, began = users.add("1", "Noa", "right"), clock.now()
    clock.advance(0.5)
    users.end_sessions("1", noa.id, OPERATOR)
    assert not users.get("1", noa.id).accepts_session_of(began)
    assert users.get("1", noa.id).accepts_session_of(clock.now())


def test_the_last_owner_who_can_log_in_stays_one(users: Users) -> None:
    noa = users.add("1", "Noa", "x")
    dan = users.add("1", "Dan", "x")
    users.add("1", "Lee", "x", Role.STAFF)
    users.add("2", "Other", "x")
    users.disable("1", dan.id, OPERATOR)
    with pytest.raises(Conflict, match="last owner"):
        users.disable("1", noa.id, OPERATOR)
    with pytest.raises(Conflict, match="last owner"):
        users.set_role("1", noa.id, Role.STAFF, OPERATOR)
    users.enable("1", dan.id, OPERATOR)
    users.set_role("1", noa.id, Role.VIEWER, OPERATOR)
    assert users.get("1", noa.id).role is Role.VIEWER


def test_of_two_owners_who_give_up_at_the_same_moment_one_stays(users: Users) -> None:
    owners = [users.add("1", name, "x") for name in ("Noa", "Dan")]
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(users.set_role, "1", one.id, Role.STAFF, OPERATOR) for one in owners]
    assert sorted(type(one.exception()).__name__ for one in done) == ["Conflict", "NoneType"]
    assert sorted(user.role for user in users.all("1")) == [Role.OWNER, Role.STAFF]


def test_nobody_changes_staff_of_another_business(users: Users) -> None:
    noa = users.add("1", "Noa", "x")
    users.add("1", "Dan", "x")
    changes: list[Callable[[], object]] = [
        lambda: users.disable("2", noa.id, OPERATOR),
        lambda: users.enable("2", noa.id, OPERATOR),
        lambda: users.set_role("2", noa.id, Role.VIEWER, OPERATOR),
        lambda: users.end_sessions("2", noa.id, OPERATOR),
        lambda: users.drop_second_factor("2", noa.id, OPERATOR),
        lambda: users.set_language("2", noa.id, "he"),
        lambda: users.get("2", noa.id),
    ]
    for change in changes:
        with pytest.raises(NotFound):
            change()
    assert users.get("1", noa.id) == noa
    assert [user.name for user in users.all("1")] == ["Dan", "Noa"]
    assert users.all("2") == []


def test_what_is_done_to_staff_is_in_the_audit_log(users: Users, database: Database) -> None:
    dan = Actor(ModeBy.CONSOLE, "Dan")
    noa = users.add("1", "Noa", "x", Role.VIEWER, dan)
    users.set_role("1", noa.id, Role.STAFF, dan)
    users.set_role("1", noa.id, Role.STAFF, dan)
    users.set_password(noa, "y", dan)
    users.end_sessions("1", noa.id, dan)
    users.disable("1", noa.id, dan)
    users.enable("1", noa.id, dan)
    entries = AuditLog(database).page("1").entries
    assert [(entry.actor, entry.action, entry.subject) for entry in entries[::-1]] == [
        ("console: Dan", action, "user Noa")
        for action in (
            "user.added", "user.role", "password.changed",
            "user.sessions_ended", "user.disabled", "user.enabled",
        )
    ]  # fmt: skip
    assert entries[-2].details == {"before": "viewer", "role": "staff"}
    assert AuditLog(database).page("2").entries == []


@pytest.fixture
def command(database: Database, clock: FakeClock) -> Callable[..., Result]:
    """Runs ``frontdesk user`` on the test's own database."""
    context = CommandContext()
    context.__dict__ |= {
        "database": database,
        "clock": clock,
        "settings": SimpleNamespace(console_url="http://desk"),
    }

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
    assert found.role is Role.OWNER


def test_user_add_takes_a_role_and_user_list_shows_it(command: Callable[..., Result], users: Users) -> None:
    assert command("add", "Noa", "--tenant", "1", "--role", "viewer").exit_code == 0
    users.add("2", "Other", "x")
    shown = command("list", "--tenant", "1").output
    assert shown.startswith("Noa\tviewer\tpassword alone\t2026-11-21\tmay log in")
    assert "Other" not in shown
    assert command("add", "Dan", "--tenant", "1", "--role", "king").exit_code != 0


def test_user_disable_and_enable(command: Callable[..., Result], users: Users) -> None:
    users.add("1", "Dan", "x")
    users.add("1", "Noa", "right")
    command("disable", "Noa")
    assert users.verify("Noa", "right") is None
    assert "Noa\towner\tpassword alone\t2026-11-21\tdisabled" in command("list", "--tenant", "1").output
    assert isinstance(command("disable", "Dan").exception, Conflict)
    command("enable", "Noa")
    assert users.verify("Noa", "right") is not None


@pytest.mark.parametrize(("options", "is_on"), [((), False), (("--keep-second-factor",), True)])
def test_user_reset_switches_the_second_factor_off_unless_told_not_to(
    command: Callable[..., Result],
    users: Users,
    database: Database,
    clock: FakeClock,
    options: tuple[str, ...],
    is_on: bool,
) -> None:
    factors = SecondFactors(database, clock, AesSeal(bytes(32)))
    noa = users.add("1", "Noa", "x")
    offered = factors.offer(noa)
    code = code_of(factors.reveal(noa, offered), step_at(clock.now()))
    assert factors.switch_on(noa, offered, code, OPERATOR)
    assert command("reset", "Noa", *options).exit_code == 0
    assert users.named("Noa").has_second_factor is is_on


def test_user_reset_prints_a_new_password(command: Callable[..., Result], users: Users) -> None:
    users.add("1", "Noa", "forgotten")
    result = command("reset", "Noa")
    assert users.verify("Noa", result.output.splitlines()[-1]) is not None
    assert users.verify("Noa", "forgotten") is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "Noa", "--tenant", "99"),
        ("add", " ", "--tenant", "1"),
        ("reset", "nobody"),
        ("disable", "nobody"),
        ("list", "--tenant", "99"),
    ],
)
def test_a_command_that_cannot_go_on_says_why(
    command: Callable[..., Result], arguments: tuple[str, ...]
) -> None:
    result = command(*arguments)
    assert isinstance(result.exception, AppError)
    assert str(result.exception)

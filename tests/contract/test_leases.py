"""A lease gives one owner at a time the right to work, on SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from server.errors import LeaseLost
from server.store.leases import Leases, TimedOwnership, check_lease, make_ownership
from server.store.session import Database
from tests.support.databases import PostgresTemplate, SqliteTemplate


def test_a_claimed_key_is_not_given_again(leases: Leases) -> None:
    assert leases.claim("conversation:1") is not None
    assert leases.claim("conversation:1") is None


def test_another_owner_does_not_get_a_claimed_key(database: Database, leases: Leases, tmp_path: Path) -> None:
    other = Leases(database, make_ownership(database, tmp_path))
    assert leases.claim("k") is not None
    assert other.claim("k") is None
    other.close()


def test_keys_are_apart(leases: Leases) -> None:
    assert leases.claim("conversation:1") is not None
    assert leases.claim("conversation:2") is not None


def test_a_released_key_is_given_with_a_greater_token(leases: Leases) -> None:
    first = leases.claim("k")
    assert first is not None
    leases.release(first)
    second = leases.claim("k")
    assert second is not None
    assert second.token > first.token


def test_the_write_of_an_old_owner_is_refused(database: Database, leases: Leases) -> None:
    old = leases.claim("k")
    assert old is not None
    leases.release(old)
    assert leases.claim("k") is not None
    with pytest.raises(LeaseLost), database.write() as session:
        check_lease(session, old)


def test_releasing_a_lost_lease_leaves_the_new_owner_alone(database: Database, leases: Leases) -> None:
    old = leases.claim("k")
    assert old is not None
    leases.release(old)
    new = leases.claim("k")
    assert new is not None
    leases.release(old)
    with database.write() as session:
        check_lease(session, new)


def test_on_sqlite_the_lease_of_a_killed_process_is_free_at_once(
    sqlite_template: SqliteTemplate, tmp_path: Path
) -> None:
    with sqlite_template.fresh() as url:
        claim_and_die = (
            "import os, sys; from pathlib import Path\n"
            "from server.store.leases import Leases, make_ownership\n"
            "from server.store.session import Database\n"
            "database = Database(sys.argv[1])\n"
            "assert Leases(database, make_ownership(database, Path(sys.argv[2]))).claim('k')\n"
            "os.kill(os.getpid(), 9)\n"
        )
        died = subprocess.run([sys.executable, "-c", claim_and_die, url, str(tmp_path)], check=False)
        assert died.returncode == -9
        database = Database(url)
        survivor = Leases(database, make_ownership(database, tmp_path))
        assert survivor.claim("k") is not None
        survivor.close()
        database.close()


def test_on_postgresql_a_lease_that_was_not_renewed_runs_out(postgres_template: PostgresTemplate) -> None:
    with postgres_template.fresh() as url:
        database = Database(url)
        gone, next_one = Leases(database, TimedOwnership()), Leases(database, TimedOwnership())
        lease = gone.claim("k")
        assert lease is not None
        with database.write() as session:
            session.execute(text("UPDATE leases SET held_until = clock_timestamp() - interval '1 ms'"))
        assert next_one.claim("k") is not None
        with pytest.raises(LeaseLost):
            gone.renew(lease)
        database.close()

"""A backup holds everything, the link to WhatsApp included, and comes back in another place."""

from __future__ import annotations

import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from server.backup import postgres_tables
from server.backup.installation import back_up, restore
from server.domain.tenants import TenantSettings
from server.errors import CommandError
from server.store.leases import make_ownership
from server.store.migrate import migrate
from server.store.models import Base, GuestRow
from server.store.session import Database
from server.store.tenants import Tenants
from simulators.lab import Lab, wait_until
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator
from tests.fakes.clock import FakeClock
from tests.support.databases import PostgresTemplate

HOST = "972500000001"
GUEST = "972520000001"
WAIT_S = 60
AN_ID = "3EB0AAAAAAAAAAAAAAAA"


@pytest.fixture
def whatsapp() -> Iterator[WhatsAppSimulator]:
    with start_simulator() as simulator:
        simulator.add_host(HOST, name="Demo House")
        simulator.add_guest(GUEST, name="Dana")
        yield simulator


def received(whatsapp: WhatsAppSimulator) -> list[str]:
    return [message["text"] for message in whatsapp.guest(GUEST)["received"]]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_linked_number_goes_on_in_another_place_and_knows_what_it_has_answered(
    kind: str, request: pytest.FixtureRequest, whatsapp: WhatsAppSimulator, tmp_path: Path
) -> None:
    archive = tmp_path / "backup.tar.gz"
    with ExitStack() as databases:

        def settings() -> dict[str, str]:
            if kind == "sqlite":
                return {}
            template = request.getfixturevalue("postgres_template")
            return {"DATABASE_URL": databases.enter_context(template.fresh())}

        with Lab(make(tmp_path / "old"), whatsapp, settings()) as old:
            old.link("1", HOST)
            whatsapp.send(GUEST, to=HOST, text="What time is check-in?", message_id=AN_ID)
            wait_until(lambda: len(received(whatsapp)) == 1, WAIT_S, "the answer")
            said = old.frontdesk("backup", str(archive))
            assert "keep it as safe as a password" in said
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600

        new = Lab(make(tmp_path / "new"), whatsapp, settings())
        said = new.frontdesk("restore", str(archive))
        assert "Never run two installations with the same link" in said
        with new:
            new.await_link("1", "open")
            whatsapp.send(GUEST, to=HOST, text="What time is check-in?", message_id=AN_ID)
            whatsapp.send(GUEST, to=HOST, text="Is there parking?")
            wait_until(lambda: len(received(whatsapp)) == 2, WAIT_S, "the second answer")
            assert "15:00" in received(whatsapp)[0]
            assert "15:00" not in received(whatsapp)[1]


class Place:
    """An installation on SQLite in a folder, none of its processes running."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "var"
        self.data_dir.mkdir(parents=True)
        self.database = Database(f"sqlite:///{self.data_dir / 'frontdesk.db'}")
        self.parts: list[str] = []

    def back_up(self, target: Path) -> None:
        back_up(self.database, self.data_dir, target, self.parts.append)

    def restore(self, source: Path, *, replace: bool = False) -> None:
        restore(self.database, self.data_dir, source, replace=replace, progress=self.parts.append)

    def add(self, tenant_id: str, name: str) -> None:
        Tenants(self.database, FakeClock()).add(tenant_id, TenantSettings(name=name))

    def names(self) -> list[str]:
        return [tenant.settings.name for tenant in Tenants(self.database, FakeClock()).all()]


@pytest.fixture
def make_place(tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    places: list[Place] = []

    def make_one(name: str) -> Place:
        places.append(Place(tmp_path / name))
        return places[-1]

    yield make_one
    for place in places:
        place.database.close()


@pytest.fixture
def here(make_place: Callable[[str], Place]) -> Place:
    """An installation with one business."""
    place = make_place("here")
    migrate(place.database)
    place.add("1", "Harbour House")
    return place


@pytest.fixture
def there(make_place: Callable[[str], Place]) -> Place:
    """A place with nothing yet."""
    return make_place("there")


@pytest.fixture
def archive(here: Place, tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar.gz"
    here.back_up(path)
    return path


def test_an_archive_comes_back_in_another_place_secrets_included(
    here: Place, there: Place, archive: Path
) -> None:
    (here.data_dir / "session-key").write_text("a-key", encoding="ascii")
    here.back_up(archive)
    there.restore(archive)
    assert there.names() == ["Harbour House"]
    assert (there.data_dir / "session-key").read_text(encoding="ascii") == "a-key"
    assert "database" in there.parts


def test_an_installation_is_not_replaced_unless_that_is_asked_for(here: Place, archive: Path) -> None:
    here.add("2", "Hill Inn")
    with pytest.raises(CommandError, match="--replace"):
        here.restore(archive)
    assert here.names() == ["Harbour House", "Hill Inn"]
    here.restore(archive, replace=True)
    assert here.names() == ["Harbour House"]


def add_guest(database: Database) -> int:
    guest = GuestRow(tenant_id="1", created_at=FakeClock().now())
    with database.write() as session:
        session.add(guest)
    return guest.id


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_number_that_was_given_before_a_backup_is_not_given_again_after_it(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    template, archive = request.getfixturevalue(f"{kind}_template"), tmp_path / "backup.tar.gz"
    parts: list[str] = []
    with ExitStack() as stack:
        old, new = (
            stack.enter_context(closing(Database(stack.enter_context(template.fresh())))) for _ in range(2)
        )
        Tenants(old, FakeClock()).add("1", TenantSettings(name="Harbour House"))
        add_guest(old)
        erased = add_guest(old)
        with old.write() as session:
            session.delete(session.get_one(GuestRow, erased))
        back_up(old, make(tmp_path / "old"), archive, parts.append)
        restore(new, make(tmp_path / "new"), archive, replace=False, progress=parts.append)
        assert add_guest(new) > erased


def test_an_archive_that_does_not_tell_which_numbers_were_given_goes_on_above_its_rows(
    postgres_template: PostgresTemplate, tmp_path: Path
) -> None:
    parts: list[str] = []
    with postgres_template.fresh() as url, closing(Database(url)) as database:
        Tenants(database, FakeClock()).add("1", TenantSettings(name="Harbour House"))
        newest = add_guest(database)
        dsn = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        tables = [table.name for table in Base.metadata.sorted_tables]
        columns = postgres_tables.dump(dsn, tables, tmp_path, parts.append)
        (tmp_path / "given.json").unlink()
        postgres_tables.load(dsn, columns, tmp_path, parts.append)
        assert add_guest(database) == newest + 1


@pytest.mark.parametrize("at", [0.1, 0.5, 0.95])
def test_a_damaged_archive_changes_nothing(there: Place, archive: Path, at: float) -> None:
    content = bytearray(archive.read_bytes())
    content[int(len(content) * at)] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(CommandError, match="damaged"):
        there.restore(archive)
    assert list(there.data_dir.iterdir()) == []


def test_an_archive_that_was_cut_short_changes_nothing(there: Place, archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-500])
    with pytest.raises(CommandError, match="damaged"):
        there.restore(archive)
    assert list(there.data_dir.iterdir()) == []


def test_an_archive_of_a_later_version_is_refused(there: Place, archive: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "unpacked"
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked)  # noqa: S202 - it is ours
    manifest = unpacked / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"revision": "0', '"revision": "9'))
    with tarfile.open(archive, "w:gz") as tar:
        for path in unpacked.iterdir():
            tar.add(path, path.name)
    with pytest.raises(CommandError, match="later version"):
        there.restore(archive)


@pytest.mark.parametrize("name", ["../outside", "/outside", "link"])
def test_an_archive_with_anything_but_files_of_its_own_changes_nothing(
    there: Place, archive: Path, name: str
) -> None:
    stranger = tarfile.TarInfo(name)
    if name == "link":
        stranger.type, stranger.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(stranger)
    with pytest.raises(CommandError, match="damaged"):
        there.restore(archive)
    assert list(there.data_dir.iterdir()) == []


def test_nothing_is_restored_under_a_process_that_runs(there: Place, archive: Path) -> None:
    running = make_ownership(there.database, there.data_dir)
    with pytest.raises(CommandError, match="stop it first"):
        there.restore(archive, replace=True)
    running.close()
    there.restore(archive)


def test_a_file_that_is_not_there_is_one_sentence(there: Place, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot read .*: No such file"):
        there.restore(tmp_path / "missing.tar.gz")


def test_a_backup_that_cannot_be_written_leaves_nothing_behind(here: Place, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(CommandError, match="cannot write"):
        here.back_up(tmp_path / "taken")
    with pytest.raises(CommandError, match="there is no folder"):
        here.back_up(tmp_path / "missing" / "b.tar.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "taken"]


def make(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder

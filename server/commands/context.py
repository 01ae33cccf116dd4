"""What commands work with: the settings, and a database that is opened when it is first used."""

from __future__ import annotations

from functools import cached_property

from server.errors import CommandError
from server.ports.ai import Embedder
from server.ports.clock import Clock
from server.settings import Settings, read_settings
from server.store.knowledge import Knowledge
from server.store.migrate import is_current
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from server.wiring import make_clock, make_embedder


class CommandContext:
    """Handed to every command as ``obj``."""

    @cached_property
    def settings(self) -> Settings:
        """Raises SettingsError, which names every fault."""
        return read_settings()

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock."""
        return make_clock()

    @cached_property
    def any_database(self) -> Database:
        """The database, its tables up to date or not."""
        return Database(self.settings.database)

    @cached_property
    def database(self) -> Database:
        """The database with its tables up to date.

        Raises:
            CommandError: a migration is missing.
        """
        if not is_current(self.any_database):
            raise CommandError("the database is not up to date: run `frontdesk migrate` first")
        return self.any_database

    @property
    def tenants(self) -> Tenants:
        """Businesses."""
        return Tenants(self.database, self.clock)

    @property
    def knowledge(self) -> Knowledge:
        """What businesses know."""
        return Knowledge(self.database, self.clock)

    @property
    def users(self) -> Users:
        """Staff."""
        return Users(self.database, self.clock)

    def embedder(self) -> Embedder:
        """The embedding model, loaded when it is first used."""
        return make_embedder()

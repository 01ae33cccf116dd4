"""Second factors of staff: secrets that an authenticator app shares with us, sealed at rest."""

from __future__ import annotations

from server.domain.audit import AuditAction
from server.domain.modes import Actor
from server.domain.totp import make_secret, matching_step
from server.ports.clock import Clock
from server.ports.seal import SecretSeal
from server.store.audit import add_audit
from server.store.models import UserRow
from server.store.session import Database
from server.store.users import User


class SecondFactors:
    """Switches second factors on and checks their codes. Each code is good once."""

    def __init__(self, database: Database, clock: Clock, seal: SecretSeal) -> None:
        self._database = database
        self._clock = clock
        self._seal = seal

    def offer(self, user: User) -> bytes:
        """A new secret for the user, sealed; it is asked for once `switch_on` has it back."""
        return self._seal.seal(make_secret(), _label(user))

    def reveal(self, user: User, sealed: bytes) -> bytes:
        """The secret of an offer.

        Raises:
            SettingsError: it was not made for this user, or under another key.
        """
        return self._seal.open(sealed, _label(user))

    def switch_on(self, user: User, sealed: bytes, code: str, actor: Actor) -> bool:
        """Ask for codes of an offered secret from now on; false, and nothing is changed, if *code* is none.

        Raises:
            SettingsError: it was not made for this user, or under another key.
        """
        now = self._clock.now()
        step = matching_step(self.reveal(user, sealed), code, now, after=0)
        if step is None:
            return False
        with self._database.write() as session:
            row = session.get_one(UserRow, user.id, with_for_update=True)
            row.totp_secret, row.totp_step = sealed, step
            add_audit(session, row.tenant_id, actor, AuditAction.SECOND_FACTOR_ON, f"user {row.name}", now)
        return True

    def accepts(self, user: User, code: str) -> bool:
        """Whether *code* is good now; it is good no second time. A user without a second factor has none.

        Raises:
            SettingsError: the user's secret was sealed under another key.
        """
        with self._database.write() as session:
            # Locked: of two who send the same code at once the second finds its step used.
            row = session.get(UserRow, user.id, with_for_update=True)
            if row is None or row.totp_secret is None:
                return False
            secret = self._seal.open(row.totp_secret, _label(user))
            step = matching_step(secret, code, self._clock.now(), after=row.totp_step)
            if step is None:
                return False
            row.totp_step = step
            return True


def _label(user: User) -> str:
    return f"second factor of user {user.id}"

"""Takes calls to models down without keeping anybody waiting, and knows what they have cost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from cachetools import TTLCache

from server.domain.model_calls import ModelCall
from server.domain.spending import AccountEntry, Spent
from server.errors import StoreUnavailable
from server.ports.accounts import AccountStore

# Calls of so long are saved together.
GATHER_S = 0.2
AT_ONCE = 500
RETRY_S = 1.0
# While the database is away so many wait for it; later ones are lost.
MOST_WAITING = 20_000
# What other processes have spent is seen after so long at most.
STALE_S = 3.0
_SUMS_KEPT = 10_000

_Key = tuple[str, str, int]
_BUSINESS = 0

log = structlog.get_logger(__name__)


class Ledger:
    """The ``ModelLedger`` port: a queue in memory, which a thread of its own saves in batches.

    If the process is killed, the calls of its last `GATHER_S`, those that were under way, and those of an
    outage of the database are missing from the accounts: a day may then cost so much more than the books say.
    The thread begins with the first call, so make it before a fork or after.

    Args:
        monotonic: seconds that never run backwards.
    """

    def __init__(self, store: AccountStore, monotonic: Callable[[], float]) -> None:
        self._store = store
        # Guards what stands below. While the store is asked, `_asking` is held: what was saved is then moved
        # from one sum to the other before anybody reads anew.
        self._changed = threading.Condition()
        self._asking = threading.Lock()
        self._waiting: list[AccountEntry] = []
        self._unsaved: Counter[_Key] = Counter()
        self._saved: TTLCache[_Key, _Sum] = TTLCache(_SUMS_KEPT, STALE_S, monotonic)
        self._thread: threading.Thread | None = None
        self._is_closing = False

    def note(self, tenant_id: str, conversation_id: int, turn_id: str, day: str, call: ModelCall) -> None:
        """Take *call* down."""
        entry = AccountEntry(tenant_id, conversation_id, turn_id, day, call)
        with self._changed:
            if self._is_closing or len(self._waiting) >= MOST_WAITING:
                log.error("ledger.dropped", tenant=tenant_id, turn=turn_id)
                return
            self._waiting.append(entry)
            self._unsaved.update(_costs([entry]))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
                self._thread.start()
            self._changed.notify()

    def spent(self, tenant_id: str, conversation_id: int, day: str) -> Spent:
        """What *day* has cost so far."""
        business, guest = (tenant_id, day, _BUSINESS), (tenant_id, day, conversation_id)
        known = self._known(business, guest)
        if known is not None:
            return known
        with self._asking:
            # Whoever had the place before may have read the same.
            return self._known(business, guest) or self._read(business, guest)

    def close(self) -> None:
        """Save what waits, and take no more."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        if self._waiting:
            log.error("ledger.lost", calls=len(self._waiting))

    def _known(self, business: _Key, guest: _Key) -> Spent | None:
        with self._changed:
            in_all, of_guest = self._saved.get(business), self._saved.get(guest)
            if in_all is None or of_guest is None:
                return None
            return Spent(in_all.micros + self._unsaved[business], of_guest.micros + self._unsaved[guest])

    def _read(self, business: _Key, guest: _Key) -> Spent:
        tenant_id, day, conversation_id = guest
        saved = self._store.spent(tenant_id, conversation_id, day)
        with self._changed:
            self._saved[business] = _Sum(saved.business_micros)
            self._saved[guest] = _Sum(saved.guest_micros)
            return Spent(
                saved.business_micros + self._unsaved[business], saved.guest_micros + self._unsaved[guest]
            )

    def _run(self) -> None:
        while self._gather():
            if not self._save_some():
                with self._changed:
                    if self._is_closing:
                        return
                    self._changed.wait(RETRY_S)

    def _gather(self) -> bool:
        """Wait for calls, and a moment for more of them; whether there are any."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            self._changed.wait_for(lambda: len(self._waiting) >= AT_ONCE or self._is_closing, GATHER_S)
            return bool(self._waiting)

    def _save_some(self) -> bool:
        """Save the oldest; False if the database does not answer."""
        with self._changed:
            entries = self._waiting[:AT_ONCE]
        with self._asking:
            try:
                kept = self._save(entries)
            except StoreUnavailable:
                log.warning("ledger.not_saved", calls=len(entries))
                return False
            with self._changed:
                del self._waiting[: len(entries)]
                self._unsaved.subtract(_costs(entries))
                self._unsaved = +self._unsaved
                for key, micros in _costs(kept).items():
                    saved = self._saved.get(key)
                    if saved is not None:
                        saved.micros += micros
        return True

    def _save(self, entries: Sequence[AccountEntry]) -> Sequence[AccountEntry]:
        """Save *entries* together, or each alone if one of them cannot be; those that were."""
        try:
            self._store.save(entries)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one bad call must not stop the accounts
            if len(entries) == 1:
                log.error("ledger.refused", turn=entries[0].turn_id, error=type(error).__name__)
                return []
            return [kept for entry in entries for kept in self._save([entry])]
        return entries


@dataclass(slots=True)
class _Sum:
    """What saved calls have cost; it grows in place, so that its age stays that of the reading."""

    micros: int


def _costs(entries: Sequence[AccountEntry]) -> Counter[_Key]:
    costs: Counter[_Key] = Counter()
    for entry in entries:
        # What belongs to no conversation is the business's alone.
        for scope in {_BUSINESS, entry.conversation_id}:
            costs[entry.tenant_id, entry.day, scope] += entry.call.cost_micros
    return costs

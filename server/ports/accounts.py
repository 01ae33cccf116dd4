"""What we ask of whatever counts for all processes together: rate limits of providers, and money spent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from server.domain.model_calls import ModelCall
from server.domain.pacing import Seconds, Want
from server.domain.spending import AccountEntry, Crossing, Spent


class RateBuckets(Protocol):
    """The buckets of each provider key, shared by all processes. Keys are hashes, 64 characters at most.

    Calls block for a short time; every one of them is atomic.
    """

    def take(self, key: str, wants: Sequence[Want], used: Seconds) -> Sequence[float | None]:
        """Count what was *used* beside (less than 0: given back), then make each taking that can be made.

        Returns:
            For each want the seconds it has to wait, in the order of asking over all processes; None if that
            would be too long, and nothing was taken for it.

        Raises:
            StoreUnavailable: nobody can tell.
        """
        ...

    def hold(self, key: str, until: Seconds) -> None:
        """Keep the buckets so far from full at least: the provider has less left than was believed.

        Raises:
            StoreUnavailable: nobody has heard of it.
        """
        ...


class ModelLedger(Protocol):
    """Keeps account of calls to models, from any thread."""

    def note(self, tenant_id: str, conversation_id: int, turn_id: str, day: str, call: ModelCall) -> None:
        """Take *call* down. Returns at once and never fails; it is saved a moment later."""
        ...

    def spent(self, tenant_id: str, conversation_id: int, day: str) -> Spent:
        """What *day* has cost so far: what this process has noted at once, others' calls seconds later.

        Now and then it reads the database, and blocks.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        ...


class AccountStore(Protocol):
    """Where calls to models and what they have cost are kept."""

    def save(self, entries: Sequence[AccountEntry]) -> None:
        """Keep all *entries* and add up what they cost: all or none.

        Raises:
            NotFound: one of the tenants does not exist.
            StoreUnavailable: nothing was saved.
        """
        ...

    def spent(self, tenant_id: str, conversation_id: int, day: str) -> Spent:
        """What saved entries of *day* have cost.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        ...


class BudgetNotices(Protocol):
    """Tells staff that a budget has reached a level."""

    def tell(self, crossing: Crossing) -> Sequence[str]:
        """Tell everybody whom the tenant wants told, once for each budget, day and level.

        Returns:
            The outbox lanes that have something to send; none if all have been told.

        Raises:
            NotFound: there is no such tenant.
            StoreUnavailable: nobody was told.
        """
        ...

"""Every error that this project raises.

AppError                      500
├── SettingsError                  start-up: names every fault at once
├── InvalidRequest            400  the message says how to mend it
│   └── UnprocessableRequest  422  the JSON is sound, its content is not
├── Unauthenticated           401
├── Forbidden                 403  the message says who may
├── NotFound                  404
├── TooManyRequests           429  this key has asked too often; the message says when to come back
├── Conflict                  409  the id was used for something else
├── PayloadTooLarge           413
├── StoreUnavailable          503  nothing was saved; send again
├── TooBusy                   503  nothing was done; try again in a moment
├── StillSending              503  the takeover holds, yet a message of the desk may still be leaving
├── LeaseLost                      another process has taken the conversation over
├── Overtaken                      the guest or staff were quicker than the reply: look again
├── CommandError                   command line: one sentence, exit 1
└── ProviderError             502
    ├── ProviderUnavailable        timeout, 429, 5xx: worth a retry
    │   ├── ProviderTimeout        a limit of ours has passed
    │   ├── ProviderBusy           its rate limit: nothing was asked of it
    │   └── LineDown               not connected: nothing of this tenant's can leave for now
    └── ProviderRejected           final: never retry
"""

from __future__ import annotations


class AppError(Exception):
    """Root of the tree. ``status`` is the HTTP status it becomes at the edge."""

    status = 500


class SettingsError(AppError):
    """The environment cannot be used; the message names each fault and its remedy."""


class InvalidRequest(AppError):
    """The request cannot be read."""

    status = 400


class UnprocessableRequest(InvalidRequest):
    """The request can be read, yet does not say what it must."""

    status = 422


class Forbidden(AppError):
    """Whoever asks is not who they must be; nothing was done."""

    status = 403


class Unauthenticated(AppError):
    """No key, session or secret, or a wrong one."""

    status = 401


class NotFound(AppError):
    """There is no such thing, or not for this caller."""

    status = 404


class TooManyRequests(AppError):
    """One key asks more often than it may; ``retry_after_s`` is when it may again."""

    status = 429

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Conflict(AppError):
    """What was asked under this id before was something else."""

    status = 409


class PayloadTooLarge(AppError):
    """The body is over the limit; send less at a time."""

    status = 413


class StoreUnavailable(AppError):
    """The database did not take it. Nothing was saved; send again."""

    status = 503


class TooBusy(AppError):
    """More is asked for at once than this process gives; nothing was done."""

    status = 503


class StillSending(AppError):
    """Staff have the conversation, yet what the desk was sending at that moment has not ended in time."""

    status = 503


class LeaseLost(AppError):
    """The lease's token is no longer the current one; what was being written was not."""


class Overtaken(AppError):
    """The conversation has moved on while its reply was made: the guest wrote again, or staff took over.

    Nothing was saved; the conversation's next turn sees what is new.
    """


class CommandError(AppError):
    """A command cannot go on; the message is one sentence for a person."""


class ProviderError(AppError):
    """A provider did not do what it was asked.

    Args:
        provider: a short fixed name such as ``whatsapp`` or ``model``.
        reason: what happened, without texts, numbers or keys.
    """

    status = 502

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(f"{provider}: {reason}")
        self.provider = provider
        self.reason = reason


class ProviderUnavailable(ProviderError):
    """It may work later: timeout, connection lost, 429, 5xx."""


class ProviderTimeout(ProviderUnavailable):
    """It did not answer within our own limit."""


class ProviderBusy(ProviderUnavailable):
    """Its rate limit leaves no room in time; nothing was asked of it."""


class LineDown(ProviderUnavailable):
    """The tenant's line to the provider is not connected: this attempt has sent nothing, and no other
    message of the tenant's would leave either."""


class ProviderRejected(ProviderError):
    """It said no for good."""

"""What the errors of OpenAI's SDK, and of the network under it, mean to us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable

_RETRYABLE_STATUS = frozenset({408, 409, 429})


@asynccontextmanager
async def limit(provider: str, seconds: float, what: str) -> AsyncIterator[None]:
    """Give up after *seconds*; turn every exception of SDK and network into one of ours."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except Exception as error:
        raise as_ours(provider, error, what) from error


def as_ours(provider: str, error: Exception, what: str) -> ProviderError:
    """*error* as one of ours; *what* was being waited for."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, TimeoutError):
        return ProviderTimeout(provider, f"no {what} in time")
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        # By its name, as the SDK is loaded late.
        kind = type(error).__name__
        return (ProviderTimeout if kind == "APITimeoutError" else ProviderUnavailable)(provider, kind)
    if 400 <= status < 500 and status not in _RETRYABLE_STATUS:
        return ProviderRejected(provider, f"HTTP {status}")
    return ProviderUnavailable(provider, f"HTTP {status}")

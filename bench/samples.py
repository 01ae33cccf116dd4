"""What is said of many measurements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

PERCENTILES = (50, 95, 99)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of *values* that *share* per cent of them do not exceed (nearest rank).

    Raises:
        ValueError: there are no values, or the share is not within 0 to 100.
    """
    if not values or not 0 <= share <= 100:
        raise ValueError("a percentile needs values and a share of 0 to 100")
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 100)
    return ordered[max(int(rank), 1) - 1]


def percentiles(values: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Names and values of `PERCENTILES`."""
    for share in PERCENTILES:
        yield f"p{share}", percentile(values, share)

"""Figures that do not add up, kept so that their parts still can be joined: sets of values, and values in buckets.

Both are finished only when every part is in: a distinct count is the size of the joined set, a percentile is looked up in
the joined buckets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache


class Distinct:
    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = set(values)

    def add(self, value: str) -> None:
        self._values.add(value)

    def joined(self, other: Distinct) -> Distinct:
        return Distinct(self._values | other._values)

    def figure(self) -> Decimal:
        return Decimal(len(self._values))


class Histogram:
    """How many events there are of each value; values are the middles of buckets, so a percentile is as near as those."""

    def __init__(self, share: float, counts: Mapping[Decimal, int] | None = None) -> None:
        self._share, self._counts = share, Counter(counts or {})

    def add(self, value: Decimal, count: int) -> None:
        self._counts[value] += count

    def joined(self, other: Histogram) -> Histogram:
        return Histogram(self._share, self._counts + other._counts)

    def figure(self) -> Decimal | None:
        """The smallest value that this share of all events does not exceed (nearest rank)."""
        share = Decimal(str(self._share)) * self._counts.total()
        wanted = max(int(share.to_integral_value(ROUND_CEILING)), 1)
        seen = 0
        for value in sorted(self._counts):
            seen += self._counts[value]
            if seen >= wanted:
                return value
        return None


Sketch = Distinct | Histogram


@lru_cache(maxsize=8192)
def middle(base: float, number: str | None) -> Decimal:
    """The value that is nearest, in proportion, to everything in the bucket; what has no bucket is zero."""
    if number is None:
        return Decimal(0)
    width = Decimal(str(base))
    return 2 * width ** int(number) / (1 + width)

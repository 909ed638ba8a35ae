"""Which identities arrived in the last minutes, in a known few bytes each.

Of an identity its 64-bit hash is kept, by Python's keyed one, in tables of ten minutes that are dropped whole. A table is
an array in which a hash lies in the first free slot from its place on; it is never more than two thirds full, so an
identity takes 12 to 24 bytes, whatever its length. Among n known ones a new one is taken for a repeat by a chance of n in 2^64.
"""

from __future__ import annotations

from array import array
from datetime import datetime, timedelta

SPAN = timedelta(minutes=10)
_SMALLEST = 1024


class Identities:
    def __init__(self) -> None:
        self._spans: dict[int, _Hashes] = {}
        self._newest = _Hashes(0)

    def add(self, identity: str, arrived_at: datetime) -> bool:
        """Whether it was not known."""
        mark = hash(identity) or 1
        if any(mark in hashes for hashes in self._spans.values()):
            return False
        span = int(arrived_at.timestamp() // SPAN.total_seconds())
        if (hashes := self._spans.get(span)) is None:
            # As large as the last one came to be: to make one larger takes a second for three million.
            hashes = self._newest = self._spans[span] = _Hashes(self._newest.count)
        hashes.add(mark)
        return True

    def forget(self, before: datetime) -> None:
        """Tables in which nothing arrived at or after that moment."""
        for span in [span for span in self._spans if (span + 1) * SPAN.total_seconds() <= before.timestamp()]:
            del self._spans[span]


class _Hashes:
    """A set of whole numbers of 64 bits, zero not among them."""

    def __init__(self, expected: int) -> None:
        size = _SMALLEST
        while size * 2 < expected * 3:
            size *= 2
        self._lay(size)

    def __contains__(self, mark: int) -> bool:
        return self.slots[self._place(mark)] != 0

    def add(self, mark: int) -> None:
        """One that is not in it."""
        if (self.count + 1) * 3 > len(self.slots) * 2:
            before = self.slots
            self._lay(2 * len(before))
            for kept in before:
                if kept:
                    self._put(kept)
        self._put(mark)

    def _lay(self, size: int) -> None:
        self.slots = array("q", bytes(8 * size))
        self._mask, self.count = size - 1, 0

    def _put(self, mark: int) -> None:
        self.slots[self._place(mark)] = mark
        self.count += 1

    def _place(self, mark: int) -> int:
        """Where it lies, or would."""
        slots, mask = self.slots, self._mask
        place = mark & mask
        while (there := slots[place]) and there != mark:
            place = (place + 1) & mask
        return place

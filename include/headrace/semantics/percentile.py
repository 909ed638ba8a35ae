"""How a percentile is read so that its parts can be joined: events counted by bucket, from the lake and from live windows alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Percentile:
    counter: str
    """The metric that counts the same events."""
    bucket: str
    """Qualified name of the dimension with the bucket's number."""
    base: float
    """A bucket ends at the power of this that its number says."""
    share: float

    @property
    def error(self) -> float:
        """How far, in proportion, the figure may be from the exact one."""
        return (self.base - 1) / (self.base + 1)

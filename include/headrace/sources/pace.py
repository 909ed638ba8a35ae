"""How many events are due at each moment: steady, in bursts, or by the hours of the day."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from headrace.sources.season import intensity
from headrace.sources.world import utc_now

Shape = Literal["steady", "bursts", "daily"]
_LONGEST_STEP = 1.0
"""After a stall longer than this, what would have been due in the meantime is not made up for."""


@dataclass(frozen=True)
class Pace:
    rate: float
    shape: Shape = "steady"
    burst_factor: float = 10.0
    burst_seconds: float = 5.0
    burst_every: float = 60.0

    def rate_at(self, elapsed: float, moment: datetime) -> float:
        """Events a second, some seconds after the start."""
        if self.shape == "bursts":
            return self.rate * (self.burst_factor if elapsed % self.burst_every < self.burst_seconds else 1.0)
        return self.rate * (intensity(moment) if self.shape == "daily" else 1.0)

    @property
    def step(self) -> float:
        """Seconds between two looks at the clock: one event at a time where the rate is low."""
        return min(0.5, max(0.02, 1.0 / self.rate)) if self.rate > 0 else 0.5


def due(
    pace: Pace,
    seconds: float | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[int]:
    """Sleeps and yields the number of events that are due, until the time is over."""
    began = last = clock()
    credit = 0.0
    while seconds is None or last - began < seconds:
        sleep(pace.step)
        now = clock()
        end = now if seconds is None else min(now, began + seconds)
        credit += max(0.0, min(end - last, _LONGEST_STEP)) * pace.rate_at(end - began, utc_now())
        last = now
        # Sums of fractions end a hair below a whole number.
        whole = int(credit + 1e-9)
        credit -= whole
        yield whole

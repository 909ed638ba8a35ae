"""What all merchants do at once is said once, of all of them, and not of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headrace.anomalies.score import Array

_LEAST_SERIES = 20
_LEAST_EVENTS = 20.0
_TRIMMED = 0.05


class Common(NamedTuple):
    """What merchants have in common, without those few that differ most on either side.

    So one merchant's burst is neither the others' drop nor everybody's rise.
    """

    seen: float
    expected: float

    @property
    def factor(self) -> float:
        """By what each merchant's expectation is multiplied."""
        return max(self.seen, 1.0) / self.expected

    @property
    def doubt2(self) -> float:
        return 1 / self.expected


def common(seen: Array, expected: Array) -> Common | None:
    """None where merchants or events are too few to tell; the first of the series are all merchants together."""
    known = np.nonzero(~np.isnan(expected[1:]))[0] + 1
    if len(known) < _LEAST_SERIES:
        return None
    cut = max(2, int(len(known) * _TRIMMED))
    kept = known[np.argsort((seen - expected)[known], kind="stable")][cut:-cut]
    usual = float(expected[kept].sum())
    return Common(float(seen[kept].sum()), usual) if usual >= _LEAST_EVENTS else None

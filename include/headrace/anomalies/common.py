"""What all merchants do at once is said once, of all of them, and not of each."""

from __future__ import annotations

import numpy as np

from headrace.anomalies.score import Array

_LEAST_SERIES = 20
_LEAST_EVENTS = 20.0
_TRIMMED = 0.05


def common_factor(seen: Array, expected: Array) -> tuple[Array, Array]:
    """By what each merchant's expectation is multiplied, and the squared doubt of that: 1 for all merchants together.

    The ratio of sums without those few that differ most on either side, so that one merchant's burst is not the
    others' drop.
    """
    factor, doubt2 = np.ones(len(seen)), np.zeros(len(seen))
    known = np.nonzero(~np.isnan(expected[1:]))[0] + 1
    if len(known) < _LEAST_SERIES:
        return factor, doubt2
    cut = max(2, int(len(known) * _TRIMMED))
    kept = known[np.argsort((seen - expected)[known], kind="stable")][cut:-cut]
    usual = float(expected[kept].sum())
    if usual >= _LEAST_EVENTS:
        factor[1:] = max(float(seen[kept].sum()), 1.0) / usual
        doubt2[1:] = 1 / usual
    return factor, doubt2

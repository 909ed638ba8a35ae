"""How unusual a figure is, on one scale for all: standard deviations of a normal variable with the same tail."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_HEAVY = 10.0
"""Degrees of freedom that averages of payments are granted: a few orders are very large."""
_WORTH_A_LOOK = 3.0
RANGE = 3.0
"""Half the width of the expected range, in standard deviations."""


def count_score(seen: Array, expected: Array, doubt2: Array) -> Array:
    """Signed root of the deviance of a Poisson count whose rate is itself known only to a share of sqrt(doubt2).

    Half an event towards the expectation turns the steps of a count into a tail that fits down to a count of nothing.
    """
    size = 1 / np.maximum(doubt2, 1e-6)
    mean = np.maximum(expected, 1e-6)
    moved = np.where(seen > mean, np.maximum(seen - 0.5, mean), np.minimum(seen + 0.5, mean))
    deviance = 2 * (moved * np.log(moved / mean) - (moved + size) * np.log((moved + size) / (mean + size)))
    return np.asarray(np.sign(moved - mean) * np.sqrt(np.maximum(deviance, 0)))


def count_range(expected: float, doubt2: float) -> tuple[float, float]:
    half = RANGE * math.sqrt(expected + doubt2 * expected**2)
    return max(0.0, expected - half), expected + half


def mean_score(log_ratio: Array, spread: Array) -> Array:
    """Of a logarithm with heavy tails: far out, distance counts less than a normal variable would make it."""
    z = log_ratio / spread
    return np.asarray(np.sign(z) * np.sqrt(_HEAVY * np.log1p(z**2 / _HEAVY)))


def mean_range(centre: float, spread: float) -> tuple[float, float]:
    return math.exp(centre - RANGE * spread), math.exp(centre + RANGE * spread)


def tail(score: float) -> float:
    """The chance of a normal variable beyond this score, on its side."""
    return 0.5 * math.erfc(abs(score) / math.sqrt(2))


def threshold(scores: Array, share: float) -> float:
    """The score from which on at most this share of what passes is expected to be chance (Benjamini and Hochberg)."""
    tests = scores.size
    ranked = np.sort(np.abs(scores[np.abs(scores) > _WORTH_A_LOOK]))[::-1]
    passed = [value for place, value in enumerate(ranked, start=1) if tail(value) <= share * place / tests]
    return float(min(passed)) if passed else math.inf

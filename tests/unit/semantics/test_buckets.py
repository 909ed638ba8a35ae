"""Buckets are the same in every engine: no amount lies so near a bound that two logarithms could put it in two buckets."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from math import ceil, log

import pytest

from headrace.semantics.buckets import expression

BASE = Decimal("1.02")
CENT = Decimal("0.01")
LARGEST = Decimal(1_000_000)


def bounds() -> list[tuple[int, Decimal]]:
    """Every bound between a cent and the largest amount of the contract, with its number."""
    first = ceil(log(0.01) / log(1.02)) - 1
    found = [(number, BASE**number) for number in range(first, 2000)]
    return [(number, bound) for number, bound in found if bound <= LARGEST]


@pytest.mark.parametrize("step", [0, 1])
def test_the_amounts_next_to_every_bound_are_clear_of_it(step: int) -> None:
    for number, bound in bounds():
        amount = (bound / CENT).to_integral_value(ROUND_FLOOR) * CENT + step * CENT
        if amount <= 0:
            continue
        place = log(float(amount)) / log(1.02)
        if amount == bound:
            # Only 1.00 and 1.02 are bounds themselves: the logarithm of one is nothing, and x / x is one.
            assert place == number in (0, 1)
        else:
            assert abs(place - number) > 1e-10, "an engine's last digit is worth 1e-13"
            assert (place > number) == (amount > bound)


def test_zero_has_no_bucket_and_no_logarithm() -> None:
    assert expression("amount", 1.02) == "CASE WHEN amount > 0 THEN CAST(CEIL(LN(amount) / LN(1.02)) AS INT) END"

"""The job that every engine is given: one-minute windows of transactions by merchant, type, currency and region."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from headrace.streams.spec import Accumulator, LiveSpec

SPEC = LiveSpec(
    "transactions_1m",
    "transactions",
    60,
    ("merchant_id", "transaction_type", "currency", "region"),
    (
        Accumulator("transactions", "count", "*", "bigint"),
        Accumulator("amount_sum", "sum", "amount", "decimal(28,2)"),
        Accumulator("amount_min", "min", "amount", "decimal(18,2)"),
        Accumulator("amount_max", "max", "amount", "decimal(18,2)"),
    ),
)


class Place(NamedTuple):
    """What a row is about."""

    late: bool
    window_start: int
    merchant_id: str
    transaction_type: str
    currency: str
    region: str


class Figures(NamedTuple):
    n: int
    total: Decimal
    least: Decimal
    most: Decimal


Windows = dict[Place, Figures]

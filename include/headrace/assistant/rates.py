"""Dated rates into the reporting currency, for the live part: read through Trino, kept for minutes.

The rows that the lake's own daily table is made of, by the same rule: a day without a rate of its own takes the newest
one before it, a day before the first takes the first. A currency without any rate raises, since a figure that silently leaves a currency out would be a wrong one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

Row = tuple[str, date, Decimal]


class RatesUnknown(LookupError):
    """Amounts cannot be turned into the reporting currency yet."""


class RateTable:
    """Rates by currency and day, immutable once made."""

    def __init__(self, rows: Iterable[Row], reporting_currency: str) -> None:
        self._reporting = reporting_currency
        self._days: dict[str, list[date]] = {}
        self._rates: dict[str, list[Decimal]] = {}
        for currency, day, rate in sorted(rows):
            self._days.setdefault(currency, []).append(day)
            self._rates.setdefault(currency, []).append(Decimal(rate))

    def rate(self, currency: str, day: date) -> Decimal:
        days = self._days.get(currency)
        position = bisect_right(days, day) if days else 0
        if days:
            return self._rates[currency][max(position - 1, 0)]
        if currency == self._reporting:
            return Decimal(1)
        raise RatesUnknown(f"No rate is known for {currency} on {day}. Rates come with the first build of history.")

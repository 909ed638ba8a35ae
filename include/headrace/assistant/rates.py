"""Dated rates into the reporting currency, for the live part: read from curated through Trino, kept for minutes.

The same table that the lake multiplies by, and the same rule: a day without a rate of its own takes the newest one before
it, a day before the first takes the first. A currency without any rate raises, since a figure that silently leaves a currency out would be a wrong one.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

Row = tuple[str, date, Decimal]
_KEPT_SECONDS = 300.0


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


class CachedRates:
    """Reads anew in the background once the kept table has aged; waits only for the very first."""

    def __init__(
        self, load: Callable[[], Iterable[Row]], reporting_currency: str, *, seconds: float = _KEPT_SECONDS
    ) -> None:
        self._load, self._reporting, self._seconds = load, reporting_currency, seconds
        self._table: RateTable | None = None
        self._read_at = 0.0
        self._lock = threading.Lock()

    def table(self) -> RateTable:
        if self._table is not None and time.monotonic() - self._read_at < self._seconds:
            return self._table
        if self._table is None:
            with self._lock:
                return self._table or self._read()
        if self._lock.acquire(blocking=False):
            threading.Thread(target=self._refresh, name="rates", daemon=True).start()
        return self._table

    def _refresh(self) -> None:
        try:
            self._read()
        except RatesUnknown:
            self._read_at = time.monotonic()
        finally:
            self._lock.release()

    def _read(self) -> RateTable:
        self._table = RateTable(self._load(), self._reporting)
        self._read_at = time.monotonic()
        return self._table

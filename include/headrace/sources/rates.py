"""Exchange rates of the sample marketplace: the same currency and day always give the same rate, in whatever order asked."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from headrace.settings import Settings
from headrace.sources.places import BASE_RATES

_PLACES = Decimal("0.00000001")


@dataclass(frozen=True)
class Rate:
    currency: str
    rate_date: date
    usd_rate: Decimal
    updated_at: datetime

    def event(self) -> dict[str, object]:
        """As the stream exchange_rates carries it."""
        return {
            "currency": self.currency,
            "rate_date": self.rate_date,
            "updated_at": self.updated_at,
            "usd_rate": self.usd_rate,
        }


def rate(seed: int, currency: str, day: date) -> Rate:
    """Slow waves and a little noise around a base; the reporting currency is always 1."""
    published = datetime.combine(day, time(), UTC)
    if currency == "USD":
        return Rate(currency, day, Decimal(1), published)
    phase = random.Random(f"{seed}:{currency}").uniform(0, math.tau)
    noise = random.Random(f"{seed}:{currency}:{day.isoformat()}").gauss(0, 0.003)
    turn = math.tau * day.toordinal()
    wave = 0.03 * math.sin(turn / 190 + phase) + 0.012 * math.sin(turn / 31 + 2 * phase)
    value = Decimal(BASE_RATES[currency] * math.exp(wave + noise)).quantize(_PLACES)
    return Rate(currency, day, value, published)


def rates(settings: Settings, start: date, end: date) -> Iterator[Rate]:
    """One rate per currency and day, both days included."""
    for offset in range((end - start).days + 1):
        for currency in BASE_RATES:
            yield rate(settings.seed, currency, start + timedelta(days=offset))


def write_csv(settings: Settings, path: Path, start: date, end: date) -> int:
    """The rates as a file with a header; returns the number of rows."""
    rows = [
        (r.currency, r.rate_date.isoformat(), f"{r.usd_rate:f}", r.updated_at.isoformat())
        for r in rates(settings, start, end)
    ]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("currency", "rate_date", "usd_rate", "updated_at"))
        writer.writerows(rows)
    return len(rows)

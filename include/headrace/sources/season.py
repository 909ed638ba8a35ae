"""When people buy: the share of a day's and a week's traffic that falls on each hour, by the clock of their country."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate

from headrace.sources.places import COUNTRIES

_LOCAL = (2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 11, 12, 11, 10, 10, 11, 13, 15, 17, 18, 15, 9, 5)
_WEEK = (0.92, 0.90, 0.93, 0.98, 1.12, 1.18, 0.97)


def _utc_hours() -> tuple[float, ...]:
    """The local curve of each country, moved to UTC and weighted by how much is bought there."""
    hours = [0.0] * 24
    for country in COUNTRIES:
        for local, share in enumerate(_LOCAL):
            hours[(local - country.utc_offset) % 24] += share * country.weight
    mean = sum(hours) / 24
    return tuple(hour / mean for hour in hours)


HOURS = _utc_hours()
_CUMULATED = tuple(accumulate(HOURS))


def intensity(moment: datetime) -> float:
    """Traffic at a moment, where 1 is the mean of a week."""
    after = (moment.hour + 1) % 24
    share = moment.minute / 60
    return _WEEK[moment.weekday()] * (HOURS[moment.hour] * (1 - share) + HOURS[after] * share)


def day_factor(day: date, born: date) -> float:
    """The weekday's share, on a slow growth of a third in a year."""
    return _WEEK[day.weekday()] * (1 + (day - born).days / 1095)


def moments(rng: random.Random, day: date, count: int) -> list[datetime]:
    """Ordered moments of a day, dense where people buy."""
    start = datetime.combine(day, time(), UTC)
    hours = rng.choices(range(24), cum_weights=_CUMULATED, k=count)
    return sorted(start + timedelta(milliseconds=hour * 3_600_000 + int(rng.random() * 3_600_000)) for hour in hours)

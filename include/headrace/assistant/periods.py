"""Calendar arithmetic in UTC, shared by time phrases, grains and the bucket of a live window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, cast, get_args

Grain = Literal["minute", "hour", "day", "week", "month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = get_args(Grain)
_FIXED = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def floor(moment: datetime, grain: Grain) -> datetime:
    """The start of the period that holds the moment; weeks start on Monday, as in Trino's date_trunc."""
    moment = moment.astimezone(UTC).replace(second=0, microsecond=0)
    if grain == "minute":
        return moment
    if grain == "hour":
        return moment.replace(minute=0)
    day = moment.replace(hour=0, minute=0)
    if grain == "day":
        return day
    if grain == "week":
        return day - timedelta(days=day.weekday())
    months = _MONTHS[grain]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def shift(moment: datetime, grain: Grain, count: int) -> datetime:
    """The moment moved by whole periods; a day that the target month lacks becomes its last day."""
    if grain in _FIXED:
        return moment + count * _FIXED[grain]
    index = moment.year * 12 + moment.month - 1 + count * _MONTHS[grain]
    year, month = divmod(index, 12)
    for day in (moment.day, 30, 29, 28):
        try:
            return moment.replace(year=year, month=month + 1, day=min(day, moment.day))
        except ValueError:
            continue
    raise ValueError(f"no day {moment.day} in {year}-{month + 1}")


def ceil_minute(moment: datetime) -> datetime:
    """The end of the minute that is filling now, so that a range up to now holds it."""
    return floor(moment, "minute") + timedelta(minutes=1)


def as_grain(word: str) -> Grain:
    """'days' -> day; a KeyError for anything else is a mistake in our own patterns."""
    singular = word.lower().rstrip("s")
    if singular not in GRAINS:
        raise KeyError(word)
    return cast("Grain", singular)

"""What a question leaves unsaid: the period, the period to compare with, the grain of a trend."""

from __future__ import annotations

from datetime import datetime, timedelta

from headrace.assistant.periods import GRAINS, Grain, ceil_minute, floor, shift
from headrace.assistant.plan import TimeRange

_CALENDAR = GRAINS[2:]
_BACK: dict[Grain, tuple[Grain, int]] = {
    "minute": ("hour", 1), "hour": ("hour", 24), "day": ("day", 30), "week": ("week", 12),
    "month": ("month", 12), "quarter": ("quarter", 8), "year": ("year", 5),
}  # fmt: skip


def default_time(grain: Grain | None, now: datetime) -> TimeRange:
    """Today; for a series, as many periods as make one worth looking at."""
    if grain is None:
        return TimeRange(start=floor(now, "day"), end=ceil_minute(now), label="today, up to now")
    unit, count = _BACK[grain]
    start = shift(floor(now, grain), unit, -count if grain in ("minute", "hour") else 1 - count)
    return TimeRange(start=start, end=ceil_minute(now), label=f"last {count} {unit}{'s' * (count > 1)}, up to now")


def previous_of(time: TimeRange) -> TimeRange:
    """The stretch just before; for a calendar period up to now, the same stretch of the period before."""
    for grain in _CALENDAR:
        start = shift(time.start, grain, -1)
        if time.label.startswith(f"this {grain}") or (grain == "day" and time.label.startswith("today")):
            label = "yesterday to the same time" if grain == "day" else f"last {grain} to the same point"
            return TimeRange(start=start, end=min(start + (time.end - time.start), time.start), label=label)
        if time.label == _last(grain):
            return TimeRange(start=start, end=time.start, label=f"the {grain} before")
    length = time.end - time.start
    return TimeRange(start=time.start - length, end=time.start, label="the same length just before")


def current_like(past: TimeRange, now: datetime) -> TimeRange:
    """ "compared with last week": the current period of the same kind."""
    for grain in _CALENDAR:
        if past.label == _last(grain):
            label = "today" if grain == "day" else f"this {grain}"
            return TimeRange(start=floor(now, grain), end=ceil_minute(now), label=f"{label}, up to now")
    return TimeRange(start=floor(now, "day"), end=ceil_minute(now), label="today, up to now")


def _last(grain: Grain) -> str:
    return "yesterday" if grain == "day" else f"last {grain}"


def trend_grain(time: TimeRange) -> Grain:
    length = time.end - time.start
    if length <= timedelta(hours=3):
        return "minute"
    if length <= timedelta(days=2):
        return "hour"
    return "day" if length <= timedelta(days=92) else "month"

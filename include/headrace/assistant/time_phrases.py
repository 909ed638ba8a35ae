"""Finds periods in a question ("last 15 minutes", "in October", "between 2026-10-01 and 2026-10-07").

Every period is half open and in UTC. One that reaches into the future ends with the minute that is filling now;
one that lies in the future altogether is marked, since no figure can be known for it. "last week" is the previous
calendar week, "last 7 days" the days up to now; "last 5 minutes" are five whole minutes and the one that is filling.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from headrace.assistant.dates import DATE, MONTH_NAMES, WEEKDAYS, month_number, parse_date
from headrace.assistant.periods import as_grain, ceil_minute, floor, shift
from headrace.assistant.plan import TimeRange

_UNIT = r"(minute|hour|day|week|month|quarter|year)s?"
_WORDS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
    "twelve": 12,
    "couple of": 2,
}
_COUNT = r"(\d{1,4}|" + "|".join(_WORDS) + ")"
_PAST = r"(?:last|past|previous|latest|recent|trailing)"
Span = tuple[datetime, datetime, str]


@dataclass(frozen=True)
class TimeMatch:
    time: TimeRange
    start: int
    end: int
    future: bool = False


def _rolling(m: re.Match[str], now: datetime) -> Span:
    count, grain = int(_WORDS.get(m[1], m[1])), as_grain(m[2])
    anchor = floor(now, "minute" if grain in ("minute", "hour") else "day")
    if grain in ("minute", "hour"):
        return shift(anchor, grain, -count), ceil_minute(now), f"last {count} {grain}{'s' * (count > 1)}"
    start = shift(shift(anchor, grain, -count), "day", 1)
    return start, ceil_minute(now), f"last {count} {grain}{'s' * (count > 1)}, with today"


def _last(m: re.Match[str], now: datetime) -> Span:
    grain = as_grain(m[1])
    if grain in ("minute", "hour"):
        return shift(floor(now, "minute"), grain, -1), ceil_minute(now), f"last {grain}"
    start = floor(now, grain)
    return shift(start, grain, -1), start, "yesterday" if grain == "day" else f"last {grain}"


def _this(m: re.Match[str], now: datetime) -> Span:
    grain = as_grain(m[1])
    start = floor(now, grain)
    return start, shift(start, grain, 1), f"this {grain}"


def _named_day(offset: int, label: str) -> Callable[[re.Match[str], datetime], Span]:
    def make(_: re.Match[str], now: datetime) -> Span:
        day = shift(floor(now, "day"), "day", offset)
        return day, shift(day, "day", 1), label

    return make


def _next(m: re.Match[str], now: datetime) -> Span:
    grain = as_grain(m[1])
    start = shift(floor(now, grain), grain, 1)
    return start, shift(start, grain, 1), f"next {grain}"


def _ago(m: re.Match[str], now: datetime) -> Span:
    count, grain = int(_WORDS.get(m[1], m[1])), as_grain(m[2])
    start = shift(floor(now, grain), grain, -count)
    return start, shift(start, grain, 1), f"{count} {grain}{'s' * (count > 1)} ago"


def _between(m: re.Match[str], now: datetime) -> Span:
    (first, _), (last, step) = parse_date(m[1], now), parse_date(m[2], now)
    return first, last + step, f"{m[1]} to {m[2]}"


def _since(m: re.Match[str], now: datetime) -> Span:
    first, _ = parse_date(m[1], now)
    return first, ceil_minute(now), f"since {m[1]}"


def _on(m: re.Match[str], now: datetime) -> Span:
    start, step = parse_date(m[1], now)
    return start, start + step, m[1]


def _month(m: re.Match[str], now: datetime) -> Span:
    month, year = month_number(m[1]), int(m[2]) if m[2] else now.year
    start = floor(now, "year").replace(year=year, month=month)
    if not m[2] and start > now:
        start = start.replace(year=year - 1)
    return start, shift(start, "month", 1), f"{start:%B %Y}"


def _quarter(m: re.Match[str], now: datetime) -> Span:
    year = int(m[2]) if m[2] else now.year
    start = floor(now, "year").replace(year=year, month=int(m[1]) * 3 - 2)
    if not m[2] and start > now:
        start = start.replace(year=year - 1)
    return start, shift(start, "quarter", 1), f"Q{m[1]} {start:%Y}"


def _year(m: re.Match[str], now: datetime) -> Span:
    start = floor(now, "year").replace(year=int(m[1]))
    return start, shift(start, "year", 1), m[1]


def _to_date(m: re.Match[str], now: datetime) -> Span:
    grain = {"m": "month", "q": "quarter", "y": "year", "w": "week"}.get(m[1], m[1])
    start = floor(now, as_grain(grain))
    return start, ceil_minute(now), f"{grain} to date"


def _now(_: re.Match[str], now: datetime) -> Span:
    return shift(floor(now, "minute"), "minute", -5), ceil_minute(now), "last 5 minutes"


def _weekday(m: re.Match[str], now: datetime) -> Span:
    back = (now.weekday() - WEEKDAYS.index(m[1])) % 7 or 7
    day = shift(floor(now, "day"), "day", -back)
    return day, shift(day, "day", 1), f"{m[1].capitalize()} {day:%Y-%m-%d}"


_DATE = f"({DATE})"
_FROM = r"\b(?:between|from)\s+"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], Span]], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (_FROM + _DATE + r"\s+(?:and|to|until|till|through|-)\s+" + _DATE, _between),
        (_DATE + r"\s+(?:to|until|till|through)\s+" + _DATE, _between),
        (r"\b(?:since|starting(?: on)?|from)\s+" + _DATE + r"(?:\s+(?:on|onwards?))?(?!\S)", _since),
        (r"\b(month|week|quarter|year)[- ]to[- ]date\b", _to_date),
        (r"\b([mqyw])td\b", _to_date),
        (rf"\b(?:in |over |for |during |within )?(?:the )?{_PAST} {_COUNT} {_UNIT}\b", _rolling),
        (rf"\b{_COUNT} {_UNIT} ago\b", _ago),
        (rf"\b(?:in |over |for |during )?(?:the )?{_PAST} {_UNIT}\b", _last),
        (rf"\b(?:in |for |during |so far )?(?:this|current|the current) {_UNIT}\b", _this),
        (rf"\b(?:in |for |during )?(?:the )?(?:next|coming|following) {_UNIT}\b", _next),
        (r"\b(?:the )?day before yesterday\b", _named_day(-2, "the day before yesterday")),
        (r"\b(?:for |on )?yesterday(?:'s)?\b", _named_day(-1, "yesterday")),
        (r"\b(?:for |so far )?today(?:'s)?(?: so far)?\b", _named_day(0, "today")),
        (r"\b(?:for )?tomorrow\b", _named_day(1, "tomorrow")),
        (rf"\b(?:on |last )({'|'.join(WEEKDAYS)})\b", _weekday),
        (r"\b(?:on |for |at )?" + _DATE + r"(?!\S)", _on),
        (rf"\b(?:in|for|during|of) ({MONTH_NAMES})(?:\s+(20\d\d))?\b", _month),
        (rf"\b({MONTH_NAMES})\s+(20\d\d)\b", _month),
        (r"\b(?:in |for |during )?q([1-4])(?:\s+(20\d\d))?\b", _quarter),
        (r"\b(?:in|for|during|of) (20\d\d)\b", _year),
        (r"\b(?:right now|just now|at the moment|at this moment|currently|now|live|this very minute)\b", _now),
    )
)
_UP_TO_NOW = re.compile(
    r"\b(?:(?:including|incl|with|up to|until|through|to|and)\s+)?(?:the )?(?:last|current|latest|very last) (?:minute|second)\b(?!\s+of)"
    r"|\b(?:up to|until|till|to|through|as of) (?:right )?now\b|\bso far\b"
)
_INCLUDING = re.compile(r"\b(?:including|incl|up to|until|through|with|and)\b|now|so far")


def find_periods(text: str, now: datetime) -> list[TimeMatch]:
    """The periods in lower-case text, in the order they are written; words used up are covered by start and end."""
    found: list[TimeMatch] = []
    masked = text
    reach_now = [m for m in _UP_TO_NOW.finditer(text) if _INCLUDING.search(m[0])]
    for match in reach_now:
        masked = _mask(masked, match.start(), match.end())
    for pattern, make in _RULES:
        while (hit := pattern.search(masked)) is not None:
            masked = _mask(masked, hit.start(), hit.end())
            found.append(_matched(make(hit, now), hit, now))
    if reach_now and found:
        last = reach_now[-1]
        found.append(TimeMatch(found[0].time, last.start(), last.end()))
    elif reach_now:
        m = reach_now[-1]
        found.append(_matched(_named_day(0, "today")(m, now), m, now))
    return _drop_now_beside_period(sorted(found, key=lambda m: m.start))


def _drop_now_beside_period(found: list[TimeMatch]) -> list[TimeMatch]:
    """In "sales today, live" the second phrase adds no period: it takes that of the first."""
    named = [m for m in found if m.time.label != "last 5 minutes"]
    if not named:
        return found
    return [m if m in named else TimeMatch(named[0].time, m.start, m.end) for m in found]


def _mask(text: str, start: int, end: int) -> str:
    return text[:start] + "\0" * (end - start) + text[end:]


def _matched(span: Span, match: re.Match[str], now: datetime) -> TimeMatch:
    start, end, label = span
    limit = ceil_minute(now)
    if start >= limit:
        future = TimeRange(start=start, end=max(end, start + timedelta(minutes=1)), label=label)
        return TimeMatch(future, match.start(), match.end(), future=True)
    if end > limit:
        end, label = limit, f"{label}, up to now"
    if end <= start:
        start, end = end, start + timedelta(minutes=1)
    return TimeMatch(TimeRange(start=start, end=end, label=label), match.start(), match.end())

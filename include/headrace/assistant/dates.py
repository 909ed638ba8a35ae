"""Dates and times as people write them without doubt: ISO dates, named months, clock times of today.

A date such as 03/10/2026 is not among them: it means two days, depending on where one lives, so it is asked back.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from headrace.assistant.periods import floor

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = "|".join(f"{m[:3]}(?:{m[3:]})?" if len(m) > 3 else m for m in MONTHS).replace("sep(?:", "sept?(?:", 1)
_ISO = r"20\d\d-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d)?z?)?"
_NAMED = rf"(?:{MONTH_NAMES})\.? \d{{1,2}}(?:st|nd|rd|th)?(?:,? 20\d\d)?|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{MONTH_NAMES})(?: 20\d\d)?"
_CLOCK = r"\d{1,2}:\d\d|midnight|noon"
DATE = rf"(?:{_ISO}|{_NAMED}|{_CLOCK}|yesterday|today|{'|'.join(WEEKDAYS)})"
DOUBTFUL_DATE = re.compile(r"\b\d{1,2}[/.]\d{1,2}[/.](?:20)?\d\d\b")


def month_number(word: str) -> int:
    return next(i for i, name in enumerate(MONTHS, 1) if name.startswith(word[:3]))


def parse_date(text: str, now: datetime) -> tuple[datetime, timedelta]:
    """The start of what is named, and how long it lasts: a day, a minute, or nothing for a clock time."""
    day = timedelta(days=1)
    today = floor(now, "day")
    if text in ("today", "yesterday"):
        return today - (day if text == "yesterday" else timedelta()), day
    if text in WEEKDAYS:
        return today - timedelta(days=(now.weekday() - WEEKDAYS.index(text)) % 7), day
    if text in ("midnight", "noon") or re.fullmatch(r"\d{1,2}:\d\d", text):
        return _clock(text, today), timedelta()
    if re.match(r"20\d\d-", text):
        moment = datetime.fromisoformat(text.replace("z", "")).replace(tzinfo=UTC)
        return moment, timedelta() if len(text) > 10 else day
    return _named(text, now), day


def _clock(text: str, today: datetime) -> datetime:
    if text in ("midnight", "noon"):
        return today + timedelta(hours=12 if text == "noon" else 0)
    hour, minute = (int(part) for part in text.split(":"))
    if hour > 23 or minute > 59:
        raise ValueError(f"{text} is not a time of day")
    return today + timedelta(hours=hour, minutes=minute)


def _named(text: str, now: datetime) -> datetime:
    month = month_number(next(re.finditer(MONTH_NAMES, text))[0])
    years = re.findall(r"20\d\d", text)
    number = int(re.findall(r"\b\d{1,2}(?=st|nd|rd|th|\b)", text)[0])
    moment = datetime(int(years[0]) if years else now.year, month, number, tzinfo=UTC)
    return moment.replace(year=moment.year - 1) if not years and moment > now else moment

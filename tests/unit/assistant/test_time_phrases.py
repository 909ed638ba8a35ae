"""Periods in questions, by a fixed clock: Saturday 2026-11-21 10:37:21 UTC."""

from __future__ import annotations

import pytest

from headrace.assistant.time_phrases import find_periods
from tests.unit.assistant.world import NOW

UP_TO_NOW = "2026-11-21 10:38"
CASES = [
    ("sales today", "2026-11-21 00:00", UP_TO_NOW),
    ("sales today including the last minute", "2026-11-21 00:00", UP_TO_NOW),
    ("sales today up to now", "2026-11-21 00:00", UP_TO_NOW),
    ("yesterday's sales", "2026-11-20 00:00", "2026-11-21 00:00"),
    ("the day before yesterday", "2026-11-19 00:00", "2026-11-20 00:00"),
    ("this week", "2026-11-16 00:00", UP_TO_NOW),
    ("last week", "2026-11-09 00:00", "2026-11-16 00:00"),
    ("this month", "2026-11-01 00:00", UP_TO_NOW),
    ("last month", "2026-10-01 00:00", "2026-11-01 00:00"),
    ("this quarter", "2026-10-01 00:00", UP_TO_NOW),
    ("last quarter", "2026-07-01 00:00", "2026-10-01 00:00"),
    ("this year", "2026-01-01 00:00", UP_TO_NOW),
    ("in the last minute", "2026-11-21 10:36", UP_TO_NOW),
    ("the last 15 minutes", "2026-11-21 10:22", UP_TO_NOW),
    ("over the past 3 hours", "2026-11-21 07:37", UP_TO_NOW),
    ("last hour", "2026-11-21 09:37", UP_TO_NOW),
    ("last 7 days", "2026-11-15 00:00", UP_TO_NOW),
    ("past two weeks", "2026-11-08 00:00", UP_TO_NOW),
    ("last 3 months", "2026-08-22 00:00", UP_TO_NOW),
    ("sales right now", "2026-11-21 10:32", UP_TO_NOW),
    ("on 2026-10-03", "2026-10-03 00:00", "2026-10-04 00:00"),
    ("on 3rd october", "2026-10-03 00:00", "2026-10-04 00:00"),
    ("on october 3, 2025", "2025-10-03 00:00", "2025-10-04 00:00"),
    ("on december 24", "2025-12-24 00:00", "2025-12-25 00:00"),
    ("in october", "2026-10-01 00:00", "2026-11-01 00:00"),
    ("in december", "2025-12-01 00:00", "2026-01-01 00:00"),
    ("in october 2025", "2025-10-01 00:00", "2025-11-01 00:00"),
    ("in 2025", "2025-01-01 00:00", "2026-01-01 00:00"),
    ("q3", "2026-07-01 00:00", "2026-10-01 00:00"),
    ("q4 2025", "2025-10-01 00:00", "2026-01-01 00:00"),
    ("between 2026-10-01 and 2026-10-07", "2026-10-01 00:00", "2026-10-08 00:00"),
    ("from october 3 to october 5", "2026-10-03 00:00", "2026-10-06 00:00"),
    ("between 10:00 and 10:30", "2026-11-21 10:00", "2026-11-21 10:30"),
    ("since monday", "2026-11-16 00:00", UP_TO_NOW),
    ("since 09:30", "2026-11-21 09:30", UP_TO_NOW),
    ("last monday", "2026-11-16 00:00", "2026-11-17 00:00"),
    ("3 days ago", "2026-11-18 00:00", "2026-11-19 00:00"),
    ("month to date", "2026-11-01 00:00", UP_TO_NOW),
    ("ytd", "2026-01-01 00:00", UP_TO_NOW),
]


@pytest.mark.parametrize(("text", "start", "end"), CASES)
def test_period(text: str, start: str, end: str) -> None:
    found = find_periods(text, NOW)
    assert {(f"{m.time.start:%Y-%m-%d %H:%M}", f"{m.time.end:%Y-%m-%d %H:%M}") for m in found} == {(start, end)}
    assert not any(m.future for m in found)


@pytest.mark.parametrize("text", ["sales tomorrow", "next week", "next quarter", "on 2027-01-01", "since 23:00"])
def test_future(text: str) -> None:
    assert find_periods(text, NOW)[0].future


@pytest.mark.parametrize("text", ["may sales grow", "sales by day", "march onwards with sales", "top 5 merchants"])
def test_no_period(text: str) -> None:
    assert find_periods(text, NOW) == []


def test_two_periods_in_order() -> None:
    assert [m.time.label for m in find_periods("today vs yesterday", NOW)] == ["today, up to now", "yesterday"]

"""What a comparison is about and what it found, as the job prints it and the DAG keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

SCHEMA = "analytics"
COHORTS, ACTIVITY = "retention_cohorts", "user_activity_by_minute"
STREAMS = ("app_events", "orders", "transactions")
"""What both tables are made of."""


class NotComparable(RuntimeError):
    """There is no finished build to compare with."""


class Differs(AssertionError):
    """Spark and dbt disagree about the same events."""


@dataclass(frozen=True)
class Scope:
    """One finished build: what it claimed, the moment at which it was done, and the days of activity to work out."""

    through: datetime
    built_at: datetime
    first_day: date

    @classmethod
    def of(cls, through: datetime, built_at: datetime, days: int, since: datetime | None) -> Scope:
        """The newest days up to the claim, as far back as events are kept; half a minute is none."""
        minute = through.astimezone(UTC).replace(second=0, microsecond=0)
        first = (minute - timedelta(microseconds=1)).date() - timedelta(days=days - 1)
        return cls(minute, built_at.astimezone(UTC), max(first, since.date()) if since else first)

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first_day, datetime.min.time(), UTC)

    @property
    def end_of_days(self) -> datetime:
        """The midnight after the last of its moments, since partitions are whole days."""
        last = (self.through - timedelta(microseconds=1)).date()
        return datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC)


@dataclass(frozen=True)
class Compared:
    """A table in both schemas: rows that are the same, and rows that differ or that one of them lacks."""

    table: str
    equal: int
    differing: int
    first_differing: str | None = None
    """The cohort or minute of the first of them; who it is about is not told."""


def whole_from(first_event: date, since: datetime | None) -> date:
    """The first day of which every event is still there: what was before is known only by what was made of it."""
    return max(first_event, since.date()) if since else first_event


def document(scope: Scope, found: Iterable[Compared]) -> dict[str, Any]:
    tables = [asdict(one) for one in found]
    return {
        "through": scope.through.isoformat(),
        "built_at": scope.built_at.isoformat(),
        "first_day": scope.first_day.isoformat(),
        "agrees": not any(one["differing"] for one in tables),
        "tables": tables,
    }


def said(outcome: dict[str, Any]) -> str:
    """The outcome as one sentence for each table."""
    return " ".join(_sentence(one) for one in outcome["tables"])


def _sentence(one: dict[str, Any]) -> str:
    name = one["table"]
    if not one["differing"]:
        return f"{name}: all {one['equal']:,} rows are equal."
    return (
        f"{name}: {one['differing']:,} rows differ and {one['equal']:,} are equal; the first is of "
        f"{one['first_differing']}. Compare lake.{SCHEMA}.{name} with lake.curated.{name} there."
    )

"""Whether the lake has lived through the days that seem to have passed: who deletes by age asks before believing the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.lake import literals
from headrace.lake.trino import fetch
from headrace.log import get_logger
from headrace.settings import Settings
from headrace.streams import published

log = get_logger(__name__)
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_PRESENT = "select table_name from lake.information_schema.tables where table_schema = 'raw'"


def through_last_week(settings: Settings, cursor: Any, now: datetime | None = None) -> bool:
    """Whether an event arrived in the week before yesterday. None did after a clock jumped ahead by more than that, nor after
    weeks of rest: what is old is then kept until the new time has been seen to go on for a day.
    """
    now = now or datetime.now(UTC)
    week = f"arrived_at >= {literals.moment(now - _WEEK)} and arrived_at < {literals.moment(now - _DAY)}"
    present = {table for (table,) in fetch(cursor, _PRESENT)}
    events = (c for c in published.read(settings).values() if c.kind == "events" and c.name in present)
    if any(fetch(cursor, f"select 1 from lake.{c.raw_table} where {week} limit 1") for c in events):  # noqa: S608
        return True
    log.warning(
        "nothing is deleted by its age: no event arrived in the week before yesterday, so the platform rested or its clock"
        " jumped ahead. See that the clock is right; after a day of events old things are deleted as ever.",
        clock=now.isoformat(),
    )
    return False

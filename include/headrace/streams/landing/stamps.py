"""When a row landed, as a clock that never goes back: builds ask for what is newer than what they have, by this stamp.

A machine's clock does go back. Rows that landed then would look older than those of before, and an increment would pass
them over. So a stamp is the clock's, or the newest that any raw table holds if that is later: over all tables, since a
model of several asks each of them for what is newer than itself.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.contracts.model import Contract
from headrace.log import get_logger
from headrace.streams.landing.table import table_of

log = get_logger(__name__)
_TOLD = timedelta(minutes=1)


class Stamps:
    """Shared by the queries of one job, which run beside each other."""

    def __init__(self, newest: datetime | None = None) -> None:
        self._newest = newest or datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()
        now = datetime.now(UTC)
        if self._newest - now > _TOLD:
            log.error(
                "raw holds rows of the future: the clock was ahead, or is behind. New rows get the stamp of the newest, so that"
                " no build passes them over; each build reads them again until then. Set the clock right.",
                newest=self._newest.isoformat(), clock=now.isoformat(),
            )  # fmt: skip

    def next(self, now: datetime | None = None) -> datetime:
        with self._lock:
            self._newest = max(self._newest, now or datetime.now(UTC))
            return self._newest


def newest_stamp(spark: Any, contracts: Mapping[str, Contract]) -> datetime | None:
    """From the bounds that Iceberg keeps beside its files; no row is read."""
    tables = " union all ".join(
        f"select readable_metrics.landed_at.upper_bound as newest from {table_of(contract)}.files"  # noqa: S608
        for contract in contracts.values()
    )
    # As a number: Spark would hand a moment over in the zone of this process.
    row = spark.sql(f"select unix_micros(max(newest)) from ({tables})").first()  # noqa: S608
    return None if row is None or row[0] is None else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=row[0])

"""What the failure tests of the lake do to it: news to build, a state of each table, and parts that fail at a chosen moment."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg

from headrace.lake import dbt
from headrace.lake.dbt import DbtFailed
from headrace.settings import Settings
from tests.parts.lake_home import START, Lake
from tests.parts.raw_rows import event, landed
from tests.processes import part_of

CHAIN = ("transactions", "fct_transactions", "transactions_by_minute", "transactions_by_day", "merchant_day")
"""What a transaction goes through: merges by key, groups that are made anew, of minutes and of days."""
RATES = ("exchange_rates", "daily_exchange_rates")
_FIGURES = {
    "processed.transactions": "count(*), count(distinct event_id), sum(amount)",
    "curated.fct_transactions": "count(*), count(distinct event_id), sum(amount * usd_rate)",
    "curated.transactions_by_minute": "sum(n), count(*), sum(sum_amount)",
    "curated.transactions_by_day": "sum(transactions), count(*), sum(amount_usd)",
    "curated.merchant_day": "sum(transactions), count(*), sum(sales_usd)",
}
_SEEDS = count(50_000, 1_000)
_LOCATION = "select metadata_location from iceberg_tables where table_namespace = %s and table_name = %s"


def news(lake: Lake, events: int = 30, **changes: Any) -> int:
    """Events in time of the filled day, landed just now; their first seed."""
    first = next(_SEEDS)
    now = datetime.now(UTC)
    made = [event(first + n, START + timedelta(minutes=3 * n), **changes) for n in range(events)]
    lake.land("transactions", [landed(one, landed_at=now) for one in made])
    return first


def build(lake: Lake, *models: str) -> None:
    """Its models alone: what dbt tests besides is compared here by hand."""
    dbt.run(lake.settings, ["run", "--select", *models, *CHAIN], timeout=400)


def states(lake: Lake) -> dict[str, list[list[Any]]]:
    """Of each table the figures that a missing, a doubled or a half made group would change."""
    return {table: lake.query(f"select {figures} from {table}") for table, figures in _FIGURES.items()}


def assert_each_old_or_new(seen: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> None:
    """A table is as it was before the build that failed, or as that build would have left it: never between."""
    between = {table: rows for table, rows in seen.items() if rows not in (old[table], new[table])}
    assert not between, f"{between}, neither {old} nor {new}"


def leftovers(lake: Lake) -> list[Any]:
    return lake.query(
        "select table_schema, table_name from lake.information_schema.tables where table_name like '%dbt_tmp%'"
    )


class Location:
    """Where the catalogue says that a table's state is: another one after each commit."""

    def __init__(self, settings: Settings, table: str) -> None:
        self._connection = psycopg.connect(settings.postgres_dsn("iceberg"), autocommit=True)
        self._table = table.split(".")

    def now(self) -> str:
        row = self._connection.execute(_LOCATION, self._table).fetchone()
        assert row, self._table
        return str(row[0])

    def await_commit(self, since: str, seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while self.now() == since:
            assert time.monotonic() < deadline, f"{self._table} was not written"
            time.sleep(0.002)

    def move(self, place: Path) -> None:
        self._connection.execute(
            "update iceberg_tables set metadata_location = %s where table_namespace = %s and table_name = %s",
            [f"file://{place}", *self._table],
        )


@contextmanager
def meanwhile(*works: Callable[[], Any]) -> Iterator[list[str]]:
    """Does these beside the block; what each said that failed is there when all are done."""
    failed: list[str] = []

    def one(work: Callable[[], Any]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - what it may be is the test's to say
            failed.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=one, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    yield failed
    for thread in threads:
        thread.join(400)
        assert not thread.is_alive()


@contextmanager
def no_room(settings: Settings, part: str, size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes. It stands for a full disk: a file system of its own would need
    root; the write fails in the same call, by EFBIG where a disk says ENOSPC.
    """
    pid = part_of(settings, part).pid
    assert pid
    process = psutil.Process(pid)
    before = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, before)


def failed(work: Callable[[], Any]) -> str:
    """What dbt said when it failed, as it must."""
    try:
        work()
    except DbtFailed as error:
        return str(error)
    raise AssertionError("the build succeeded")


def of_tomorrow(path: Path, by: timedelta) -> Path:
    """A table's state as a clock that was ahead would have written it."""
    told = json.loads(path.read_text())
    milliseconds = int(by.total_seconds() * 1000)
    told["last-updated-ms"] += milliseconds
    for name in ("snapshots", "snapshot-log"):
        for entry in told[name]:
            entry["timestamp-ms"] += milliseconds
    there = path.with_name(f"00009-{uuid4()}.metadata.json")
    there.write_text(json.dumps(told))
    return there

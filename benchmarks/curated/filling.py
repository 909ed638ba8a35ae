"""The benchmark's lake: raw tables as the lake job makes them, two months of events in them, then hours that land later."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

from benchmarks.curated import rows
from headrace.contracts.model import load_contracts
from headrace.lake.trino import connect, fetch
from headrace.settings import Settings
from tests.parts.raw_rows import create

DAYS = 60
_STATEMENT_SECONDS = 600.0


class Lake:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._contracts = load_contracts(settings.contracts)

    def records(self) -> int:
        """In raw, repeats included; 0 before the fill."""
        return int(self.fetch(f"select count(*) from lake.{self._transactions.raw_table}")[0][0])

    def prepare(self) -> None:
        with closing(self._connection()) as connection:
            create(connection.cursor(), self._contracts)

    def fill(self, count: int) -> None:
        days = rows.days_before(datetime.now(UTC), DAYS, count)
        told = days.start - timedelta(days=1)
        people = rows.customers(count)
        self.fetch(rows.merchants(self._contracts["merchants"], told))
        self.fetch(rows.people(self._contracts["customers"], people, told))
        self.fetch(rows.rates(self._contracts["exchange_rates"], days.start, DAYS + 1))
        self._land(days, people)

    def land_hour(self, count: int) -> None:
        """The hour after everything that is there; its events have numbers of their own."""
        newest, known, people = self.fetch(
            f"""select max(arrived_at), max("offset") / 2 + 1, (select count(*) from lake.raw.customers)
            from lake.{self._transactions.raw_table}"""
        )[0]
        start = _whole_hour(newest.astimezone(UTC))
        self._land(rows.Stretch(known, count, start, start + timedelta(hours=1)), people)

    def _land(self, stretch: rows.Stretch, people: int) -> None:
        for first, last in rows.pieces(stretch):
            self.fetch(rows.insert_events(self._transactions, stretch, first, last, people))

    def last_day(self) -> date:
        """The last complete day of the fill: increments belong to the day after it."""
        newest: datetime = self.fetch("select max(event_time) from lake.curated.fct_transactions")[0][0]
        return newest.astimezone(UTC).date() - timedelta(days=1)

    def compact(self, tables: tuple[str, ...]) -> None:
        """As DAG `tidy` does by night: few files, and none of deleted rows, which engines that read files alone would count."""
        for table in tables:
            self.fetch(f"alter table lake.curated.{table} execute optimize(file_size_threshold => '64MB')")

    def fetch(self, sql: str) -> list[list[Any]]:
        with closing(self._connection()) as connection, closing(connection.cursor()) as cursor:
            return fetch(cursor, sql)

    @property
    def _transactions(self) -> Any:
        return self._contracts["transactions"]

    def _connection(self) -> Any:
        return connect(self._settings, service="dbt", timeout=_STATEMENT_SECONDS)


def _whole_hour(moment: datetime) -> datetime:
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if floor == moment else floor + timedelta(hours=1)

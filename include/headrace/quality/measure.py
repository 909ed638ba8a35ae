"""Measures the five figures of every table, by day of arrival, and keeps them. Repeating it changes nothing but the time."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from headrace.anomalies.ledger import Ledger
from headrace.lake import dbt, results
from headrace.lake.trino import connect, fetch
from headrace.log import get_logger
from headrace.quality import incidents, ledger, statements
from headrace.quality.figures import Figure, Name
from headrace.quality.tables import Curated, Processed, Summary, Table, tables
from headrace.settings import Settings
from headrace.streams import published
from headrace.streams.deadletters.reading import select
from headrace.streams.deadletters.selection import Selection

_LOG = get_logger(__name__)
_SECONDS = 300.0
UNIQUE_TESTS = ("one_row_per", "unique")
Ask = Callable[[str], list[list[Any]]]
Letters = Mapping[tuple[str, date], Mapping[str, int]]
"""(stream, day of arrival) -> rule -> how many."""


@dataclass(frozen=True)
class Tally:
    """What dbt's tests of a table said on a day: how many of either kind, and how many rows each kind found wrong."""

    run: int = 0
    failed: int = 0
    rows: int = 0
    unique_run: int = 0
    unique_failed: int = 0
    unique_rows: int = 0


NO_TESTS = Tally()
_LOOKS_BACK = timedelta(days=14)


def run(
    settings: Settings, first: date | None = None, last: date | None = None, only: Collection[str] = ()
) -> list[Figure]:
    """These days, or all since the last time, of every table or of these; what was found."""
    last = last or datetime.now(UTC).date()
    first = first or unmeasured_since(last, ledger.measured_through(settings))
    contracts = published.read(settings)
    manifest = _manifest(settings)
    letters = _letters(settings, first)
    figures: list[Figure] = []
    with connect(settings, service="dbt", timeout=_SECONDS) as connection:

        def ask(sql: str) -> list[list[Any]]:
            return fetch(connection.cursor(), sql)

        measuring = Measuring(settings, ask, first, last, letters, _tests(settings, manifest, first, last))
        there = {f"{schema}.{name}" for schema, name in ask(_PRESENT)}
        for table in tables(settings, contracts):
            if table.name in there and (not only or table.name in only):
                figures += measuring.of(table)
    ledger.write(settings, figures)
    with closing(Ledger(settings)) as told:
        incidents.tell_figures(told, figures, datetime.now(UTC).timestamp())
    failed = sorted({f"{f.table} {f.name}" for f in figures if f.state == "failed"})
    _LOG.info("quality_measured", figures=len(figures), failed=failed)
    return figures


def unmeasured_since(last: date, measured: date | None) -> date:
    """Yesterday, which may have changed since; or the day on which the platform came to rest, if it is not long ago."""
    yesterday = last - timedelta(days=1)
    return min(yesterday, max(measured, last - _LOOKS_BACK)) if measured else yesterday


_PRESENT = (
    "select table_schema, table_name from lake.information_schema.tables where table_schema in ('processed', 'curated')"
)


@dataclass(frozen=True)
class Measuring:
    settings: Settings
    ask: Ask
    first: date
    last: date
    letters: Letters
    tests: Mapping[tuple[str, date], Tally]

    def of(self, table: Table) -> Iterator[Figure]:
        if isinstance(table, Processed):
            yield from self._processed(table)
        elif isinstance(table, Curated):
            yield from self._curated(table)
        else:
            yield from self._tested(table)

    def _processed(self, table: Processed) -> Iterator[Figure]:
        stream = table.contract.name
        for day, records, identities, refused, lost in self.ask(statements.arrived(table, self.first, self.last)):
            rules = dict(self.letters.get((stream, day), {}))
            seen = {
                "records": records,
                "repeats": records - identities,
                "refused": refused,
                "lost": lost,
                "dead_letters": rules,
            }
            yield self._figure(
                table, day, "completeness", identities - refused - lost, identities, detail=seen, unit="events"
            )
        sql = statements.kept(table, self.first, self.last, self.settings.lateness_minutes)
        for day, rows, distinct, within, streamed, timely, corrected, known in self.ask(sql):
            conflicts = self.letters.get((stream, day), {}).get("conflict", 0)
            detail = {"outside_contract": rows - within, "conflicting_versions": conflicts}
            yield from self._rows(table, day, rows, within, conflicts, detail)
            yield from self._unique(table, day, rows, distinct)
            yield self._figure(table, day, "timeliness", timely, streamed)
            yield self._figure(table, day, "accuracy", known, rows, detail={"corrected": corrected})

    def _curated(self, table: Curated) -> Iterator[Figure]:
        sql = statements.copied(table, self.first, self.last, self.settings.lateness_minutes)
        for day, expected, distinct, rows, equal, streamed, timely, known in self.ask(sql):
            yield self._figure(table, day, "completeness", distinct, expected, detail={"made_of": table.source.name})
            yield from self._rows(table, day, rows, equal, 0, {"differ_from_source": rows - equal})
            yield from self._unique(table, day, rows, distinct)
            yield self._figure(table, day, "timeliness", timely, streamed)
            yield self._figure(table, day, "accuracy", known, rows)

    def _tested(self, table: Summary) -> Iterator[Figure]:
        for (name, day), tests in self.tests.items():
            if name == table.name:
                yield self._figure(table, day, "consistency", tests.run - tests.failed, tests.run, unit="tests")
                yield self._figure(
                    table, day, "uniqueness", tests.unique_run - tests.unique_failed, tests.unique_run, unit="tests"
                )

    def _rows(
        self, table: Table, day: date, rows: int, good: int, extra: int, detail: dict[str, Any]
    ) -> Iterator[Figure]:
        """`extra` was never let in: it is counted and is not good."""
        tests = self.tests.get((table.name, day), NO_TESTS)
        detail |= {"tests": tests.run, "tests_failed": tests.failed, "rows_failing_tests": tests.rows}
        wrong = min(rows, max(tests.rows, tests.failed))
        yield self._figure(table, day, "consistency", max(0, good - wrong), rows + extra, detail=detail)

    def _unique(self, table: Table, day: date, rows: int, distinct: int) -> Iterator[Figure]:
        tests = self.tests.get((table.name, day), NO_TESTS)
        detail = {
            "tests": tests.unique_run,
            "tests_failed": tests.unique_failed,
            "keys_failing_tests": tests.unique_rows,
        }
        wrong = min(rows, max(tests.unique_rows, tests.unique_failed))
        yield self._figure(table, day, "uniqueness", max(0, min(distinct, rows) - wrong), rows, detail=detail)

    def _figure(
        self,
        table: Table,
        day: date,
        name: Name,
        good: int,
        counted: int,
        *,
        detail: dict[str, Any] | None = None,
        unit: str = "rows",
    ) -> Figure:
        return Figure(table.name, day, name, good, counted, threshold(self.settings, name), unit, detail or {})


def threshold(settings: Settings, name: Name) -> Decimal:
    asked: Decimal = getattr(settings, f"quality_{name}")
    return asked


def _letters(settings: Settings, first: date) -> dict[tuple[str, date], dict[str, int]]:
    found: dict[tuple[str, date], dict[str, int]] = {}
    for letter in select(settings, Selection(since=datetime.combine(first, time(), UTC))):
        rules = found.setdefault((letter.stream, letter.arrived_at.astimezone(UTC).date()), {})
        rules[letter.rule] = rules.get(letter.rule, 0) + 1
    return found


def _manifest(settings: Settings) -> dict[str, Any]:
    file = dbt.target(settings) / "manifest.json"
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def _tests(settings: Settings, manifest: dict[str, Any], first: date, last: date) -> dict[tuple[str, date], Tally]:
    found: dict[tuple[str, date], Tally] = {}
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        said = results.of_day(settings, day)
        for node in manifest.get("nodes", {}).values():
            result = said.get(node["unique_id"])
            model = manifest["nodes"].get(node.get("attached_node"))
            if node["resource_type"] == "test" and result and model and result.status != "skipped":
                place = f"{model['schema']}.{model['name']}", day
                found[place] = counted(found.get(place, NO_TESTS), node, result)
    return found


def counted(so_far: Tally, node: dict[str, Any], result: results.Result) -> Tally:
    failed = int(result.status in ("fail", "error"))
    rows = result.failures if failed else 0
    if (node.get("test_metadata") or {}).get("name") in UNIQUE_TESTS:
        return Tally(
            so_far.run, so_far.failed, so_far.rows,
            so_far.unique_run + 1, so_far.unique_failed + failed, so_far.unique_rows + rows,
        )  # fmt: skip
    return Tally(
        so_far.run + 1, so_far.failed + failed, so_far.rows + rows,
        so_far.unique_run, so_far.unique_failed, so_far.unique_rows,
    )  # fmt: skip

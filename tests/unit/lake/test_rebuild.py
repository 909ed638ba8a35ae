"""Which range is meant, which tables grow with time, and what one statement does to a table that differs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headrace.cli.__main__ import app
from headrace.lake.dated import Dated, from_manifest
from headrace.lake.kept import kept_since
from headrace.lake.rebuild import CannotRebuild, Range, _changes, _make, _merge, refuse_what_is_not_kept
from headrace.settings import Settings


def _node(name: str, reads: list[str], **config: Any) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "name": name,
        "schema": "curated",
        "original_file_path": f"models/curated/{name}.sql",
        "relation_name": f"lake.curated.{name}",
        "config": {"materialized": "incremental", **config},
        "depends_on": {"nodes": [f"model.{read}" for read in reads]},
    }


def test_a_range_is_whole_days() -> None:
    wanted = Range.of("2026-01-30", "2026-02-01")
    assert (wanted.start, wanted.end) == (datetime(2026, 1, 30, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC))
    assert wanted.holds("at") == (
        "\"at\" >= timestamp '2026-01-30 00:00:00 UTC' and \"at\" < timestamp '2026-02-02 00:00:00 UTC'"
    )


@pytest.mark.parametrize(
    ("first", "last"), [("2026-02-02", "2026-02-01"), ("yesterday", "today"), ("", ""), ("1'", "2")]
)
def test_what_is_no_range_is_refused_with_an_example(first: str, last: str) -> None:
    with pytest.raises(CannotRebuild, match="range"):
        Range.of(first, last)


def test_tables_that_grow_with_time_come_after_what_they_read() -> None:
    day = {"properties": {"partitioning": "ARRAY['day(event_time)']"}}
    nodes = [
        _node("by_minute", ["fct"], properties={"partitioning": "ARRAY['month(window_start)']"}),
        _node("fct", ["events"], **day),
        _node("names", [], properties={"format_version": "2"}),
        _node("by_day", ["by_minute"], materialized="table"),
        _node("events", ["names", "valid"], **day, meta={"kept": "forever", "sliced_by": ["event_id"]}),
        _node("valid", [], materialized="view"),
    ]
    found = from_manifest({"nodes": {f"model.{node['name']}": node for node in nodes}})
    assert [(one.name, one.moment) for one in found] == [
        ("events", "event_time"),
        ("fct", "event_time"),
        ("by_minute", "window_start"),
    ]
    assert found[0].path == "curated/events.sql"
    assert [one.forever for one in found] == [True, False, False]
    assert [(one.keys, one.views) for one in found] == [
        (("event_id",), ("lake.curated.valid",)),
        ((), ()),
        ((), ()),
    ]


ONE_DAY = Range.of("2026-01-01", "2026-01-01")


def test_only_rows_that_are_gone_are_deleted_and_only_new_ones_put_in() -> None:
    model = Dated("fct", "curated", "fct", "at", "curated/fct.sql")
    sql = _merge(model, ["id", "at"], _changes(model, "lake.curated.rebuilt_fct", '"id", "at"', ONE_DAY), ONE_DAY)
    assert 'on change.gone and known."at" = change."at" and known."at" >= timestamp \'2026-01-01' in sql
    assert 'known."id" is not distinct from change."id"' in sql
    assert 'group by "id", "at" having sum(known) <> sum(1 - known)' in sql
    assert "when matched then delete when not matched and not change.gone then insert" in sql


class Cursor:
    """Says that every table that it makes has so many rows."""

    def __init__(self, rows: int) -> None:
        self.rows, self.asked = rows, list[str]()

    def execute(self, sql: str) -> None:
        self.asked.append(sql)

    def fetchall(self) -> list[list[int]]:
        return [[self.rows]]


def _made(rows: int, keys: tuple[str, ...] = ("id",)) -> list[str]:
    model = Dated("events", "processed", "events", "at", "x.sql", keys=keys, views=('"lake"."raw"."valid"',))
    cursor = Cursor(rows)
    _make(cursor, model, 'select * from "lake"."raw"."valid"', '"id"', ONE_DAY, at_once=100)
    return cursor.asked


def test_a_large_range_is_made_of_slices_of_what_is_read_once() -> None:
    asked = _made(250)
    read = "lake.processed.read_0_events"
    assert asked[:2] == [f"drop table if exists {read}", f'create table {read} as select * from "lake"."raw"."valid"']
    pieces = asked[2:-1]
    assert [sql.split(" select")[0] for sql in pieces] == [
        "create table lake.processed.rebuilt_events as", *["insert into lake.processed.rebuilt_events"] * 2,
    ]  # fmt: skip
    assert all(f"from {read}" in sql and '"at" >= timestamp \'2026-01-01' in sql for sql in pieces)
    assert [sql[sql.index(", 3)") :] for sql in pieces] == [", 3), 0) = 0", ", 3), 0) = 1", ", 3), 0) = 2"]
    assert asked[-1] == f"drop table if exists {read}"


def test_a_small_range_or_one_without_keys_is_made_at_once() -> None:
    assert [sql.endswith("and true") for sql in _made(100)[2:-1]] == [True]
    (alone,) = _made(250, keys=())
    assert 'from "lake"."raw"."valid"' in alone


def test_days_of_which_nothing_is_kept_are_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, analytics_days=90)  # type: ignore[call-arg]
    kept = kept_since(90)
    assert kept
    day = f"{kept:%Y-%m-%d}"
    refuse_what_is_not_kept(settings, Range.of(day, day))
    with pytest.raises(CannotRebuild, match="analytics_days"):
        refuse_what_is_not_kept(settings, Range.of(f"{kept - timedelta(days=1):%Y-%m-%d}", day))
    refuse_what_is_not_kept(settings.model_copy(update={"analytics_days": 0}), Range.of("2020-01-01", day))


def test_what_is_kept_begins_at_a_midnight_or_is_everything() -> None:
    assert kept_since(0) is None
    since = kept_since(30)
    assert since and (since.hour, since.minute, since.tzinfo) == (0, 0, UTC)


def test_a_terminal_says_at_once_that_a_range_is_none() -> None:
    result = CliRunner().invoke(app, ["backfill", "--from", "2026-02-02", "--to", "2026-02-01"])
    assert isinstance(result.exception, CannotRebuild)
    assert "ends before it begins" in str(result.exception)

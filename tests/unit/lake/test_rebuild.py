"""Which range is meant, which tables grow with time, and what one statement does to a table that differs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from headrace.cli.__main__ import app
from headrace.lake.dated import Dated, from_manifest
from headrace.lake.rebuild import CannotRebuild, Range, _merge, kept_since


def _node(name: str, reads: list[str], **config: Any) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "name": name,
        "schema": "curated",
        "original_file_path": f"models/curated/{name}.sql",
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
        _node("events", ["names"], **day, meta={"kept": "forever"}),
    ]
    found = from_manifest({"nodes": {f"model.{node['name']}": node for node in nodes}})
    assert [(one.name, one.moment) for one in found] == [
        ("events", "event_time"),
        ("fct", "event_time"),
        ("by_minute", "window_start"),
    ]
    assert found[0].path == "curated/events.sql"
    assert [one.forever for one in found] == [True, False, False]


def test_only_rows_that_are_gone_are_deleted_and_only_new_ones_put_in() -> None:
    model = Dated("fct", "curated", "fct", "at", "curated/fct.sql")
    sql = _merge(model, ["id", "at"], "(gone)", "(new)", Range.of("2026-01-01", "2026-01-01"))
    assert 'on change.gone and known."at" = change."at" and known."at" >= timestamp \'2026-01-01' in sql
    assert 'known."id" is not distinct from change."id"' in sql
    assert "when matched then delete when not matched and not change.gone then insert" in sql


def test_what_is_kept_begins_at_a_midnight_or_is_everything() -> None:
    assert kept_since(0) is None
    since = kept_since(30)
    assert since and (since.hour, since.minute, since.tzinfo) == (0, 0, UTC)


def test_a_terminal_says_at_once_that_a_range_is_none() -> None:
    result = CliRunner().invoke(app, ["backfill", "--from", "2026-02-02", "--to", "2026-02-01"])
    assert isinstance(result.exception, CannotRebuild)
    assert "ends before it begins" in str(result.exception)

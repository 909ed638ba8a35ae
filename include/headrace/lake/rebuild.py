"""Builds a range of days anew from raw, as if it were built for the first time, and never shows a half of it.

Each table that grows with time is worked out again by its own model, as for a full build, into a table beside it. Where the
two differ within the range, one statement takes away the wrong rows and puts in the right ones: readers see the table
before it or after it. A second time finds no difference and writes nothing.
"""

# ruff: noqa: S608 - names of tables and columns come from dbt and Trino, moments are written by us
from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from headrace.lake import dated, dbt, literals
from headrace.lake.dated import Dated
from headrace.lake.kept import kept_since
from headrace.lake.trino import connect, fetch
from headrace.log import get_logger
from headrace.settings import Settings

log = get_logger(__name__)
_STATEMENT_SECONDS = 3600.0


class CannotRebuild(ValueError):
    """The range cannot be built from what raw still holds, or is none."""


@dataclass(frozen=True)
class Range:
    """From the first moment up to, and without, the second."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, first: str, last: str) -> Range:
        """Both days are in it, whole, in UTC."""
        try:
            start, end = (datetime.combine(date.fromisoformat(day), time(), UTC) for day in (first, last))
        except ValueError:
            raise CannotRebuild(
                f"A range is two days, such as 2026-01-30 and 2026-01-31, not {first!r} and {last!r}."
            ) from None
        if end < start:
            raise CannotRebuild(f"The range ends before it begins: from {first} to {last}.")
        return cls(start, end + timedelta(days=1))

    def holds(self, column: str, of: str = "") -> str:
        name = f'{of}"{column}"'
        return f"{name} >= {literals.moment(self.start)} and {name} < {literals.moment(self.end)}"


@dataclass(frozen=True)
class Changed:
    table: str
    removed: int
    added: int


def run(settings: Settings, wanted: Range) -> list[dict[str, Any]]:
    """What was changed, table by table; those that are built whole are not among them."""
    refuse_what_is_not_kept(settings, wanted)
    models = dated.tables(settings)
    with connect(settings, service="dbt", timeout=_STATEMENT_SECONDS) as connection:
        cursor = connection.cursor()
        _refuse_what_raw_has_lost(cursor, models, wanted, settings)
        compiled = _compiled(settings, models)
        at_once = dbt.rows_at_once(settings)
        changed = [_replace(cursor, model, compiled[model.name], wanted, at_once) for model in models]
    return [asdict(one) for one in changed]


def refuse_what_is_not_kept(settings: Settings, wanted: Range) -> None:
    """Of such days nothing is left to build from, but tables that are kept for ever still count them."""
    kept = kept_since(settings.analytics_days)
    if kept and wanted.start < kept:
        raise CannotRebuild(
            f"What was made of events is kept for {settings.analytics_days} days (analytics_days): days before {kept:%Y-%m-%d}"
            " cannot be built again. Choose a later range."
        )


def _refuse_what_raw_has_lost(cursor: Any, models: list[Dated], wanted: Range, settings: Settings) -> None:
    """Rows whose raw records retention may have deleted would be lost, not built anew."""
    if not (kept := kept_since(settings.raw_days)):
        return
    for model in (model for model in models if model.schema == "processed"):
        sql = f"select count(*) from {model.relation} where {wanted.holds(model.moment)} and arrived_at < {literals.moment(kept)}"
        if lost := fetch(cursor, sql)[0][0]:
            raise CannotRebuild(
                f"{lost} rows of {model.schema}.{model.table} in this range arrived before {kept:%Y-%m-%d}, and raw records are"
                f" kept for {settings.raw_days} days (raw_days): they cannot be built again. Choose a later range."
            )


def _compiled(settings: Settings, models: list[Dated]) -> dict[str, str]:
    """Each model's SQL for a build from nothing."""
    target = settings.home / "dbt" / "rebuild"
    names = [model.name for model in models]
    dbt.run(settings, ["compile", "--full-refresh", "--quiet", "--select", *names], target_path=target)
    folder = target / "compiled" / "headrace" / "models"
    return {model.name: (folder / Path(model.path)).read_text() for model in models}


def _replace(cursor: Any, model: Dated, sql: str, wanted: Range, at_once: int) -> Changed:
    beside = _beside(model, "rebuilt")
    columns = [str(row[0]) for row in fetch(cursor, f"show columns from {model.relation}")]
    listed = ", ".join(f'"{name}"' for name in columns)
    fetch(cursor, f"drop table if exists {beside}")
    try:
        _make(cursor, model, sql, listed, wanted, at_once)
        changes = _changes(model, beside, listed, wanted)
        counted = f"select coalesce(sum(known_rows), 0), coalesce(sum(right_rows), 0) from ({changes})"
        removed, added = (int(count) for count in fetch(cursor, counted)[0])
        if removed or added:
            fetch(cursor, _merge(model, columns, changes, wanted))
    finally:
        fetch(cursor, f"drop table if exists {beside}")
    log.info("rebuilt", table=model.relation, removed=removed, added=added)
    return Changed(f"{model.schema}.{model.table}", removed, added)


def _beside(model: Dated, what: str) -> str:
    return f"lake.{model.schema}.{what}_{model.table}"


def _make(cursor: Any, model: Dated, sql: str, listed: str, wanted: Range, at_once: int) -> None:
    """The right rows of the range, beside. A model that keeps one row of each key needs memory for all keys of its views, whatever
    the range: it is made slice by slice, as in a build (dbt/macros/slices.sql), of what its views say once."""
    beside, pieces = _beside(model, "rebuilt"), ["true"]
    read = {view: _beside(model, f"read_{place}") for place, view in enumerate(model.views)} if model.keys else {}
    try:
        rows = 0
        for view, table in read.items():
            fetch(cursor, f"drop table if exists {table}")
            rows += int(fetch(cursor, f"create table {table} as select * from {view}")[0][0])
            sql = sql.replace(view, table)
        if rows > at_once:
            keys = " || '/' || ".join(f'cast("{key}" as varchar)' for key in model.keys)
            slices = -(-rows // at_once)
            pieces = [f"coalesce(mod(crc32(to_utf8({keys})), {slices}), 0) = {place}" for place in range(slices)]
        put = f"create table {beside} as"
        for piece in pieces:
            fetch(cursor, f"{put} select {listed} from (\n{sql}\n) where {wanted.holds(model.moment)} and {piece}")
            put = f"insert into {beside}"
    finally:
        for table in read.values():
            fetch(cursor, f"drop table if exists {table}")


def _changes(model: Dated, beside: str, listed: str, wanted: Range) -> str:
    """Rows that are there more or less often than they should be, with how often."""
    return (
        f"select {listed}, sum(known) as known_rows, sum(1 - known) as right_rows from ("
        f"select {listed}, 1 as known from {model.relation} where {wanted.holds(model.moment)}"
        f" union all select {listed}, 0 as known from {beside}"
        f") group by {listed} having sum(known) <> sum(1 - known)"
    )


def _merge(model: Dated, columns: list[str], changes: str, wanted: Range) -> str:
    """All that are there of such a row go, as many as should be there come."""
    listed = ", ".join(f'"{name}"' for name in columns)
    same = " and ".join(f'known."{name}" is not distinct from change."{name}"' for name in columns)
    values = ", ".join(f'change."{name}"' for name in columns)
    # The time of a row is never null: by it the rows are joined, the rest is compared.
    place = f'known."{model.moment}" = change."{model.moment}" and {wanted.holds(model.moment, "known.")}'
    return (
        f"merge into {model.relation} as known using ("
        f"with changes as ({changes})"
        f" select true as gone, {listed} from changes where known_rows > 0"
        f" union all select false as gone, {listed} from changes cross join unnest(sequence(1, right_rows)) as copies (copy)"
        f" where right_rows > 0) as change"
        f" on change.gone and {place} and {same}"
        f" when matched then delete when not matched and not change.gone then insert ({listed}) values ({values})"
    )

"""Tables watched as topics are: what arrived in each of the last hours, column by column, counted by Trino."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from headrace.contracts.model import Field
from headrace.lake import literals
from headrace.lake.models import column
from headrace.lake.trino import connect
from headrace.quality.judge import Finding
from headrace.quality.profile import Level, Profile, Share
from headrace.quality.tables import Curated, Processed, tables
from headrace.quality.watch import Look
from headrace.settings import Settings
from headrace.streams import published

HOUR = 3600
_MOST_HOURS = 48
_SIDES = {"low": 0.1, "middle": 0.5, "high": 0.9}
Watched = Processed | Curated


def run(settings: Settings, now: float | None = None) -> list[Finding]:
    """Every whole hour since the last look, table by table; to be run after a build."""
    end = int((now or time.time()) // HOUR) * HOUR
    watched = [t for t in tables(settings, published.read(settings)) if isinstance(t, Processed | Curated)]
    found: list[Finding] = []
    with connect(settings, service="dbt", timeout=120) as connection, Look(settings, "table") as look:
        known = look.history.before([table.name for table in watched], end)
        cursor = connection.cursor()
        columns = _columns(cursor)
        for table in watched:
            past = known[table.name]
            first = max(past[-1].start + HOUR if past else 0, end - _MOST_HOURS * HOUR)
            if columns.get(table.name) and first < end:
                for profile in profiles(cursor, table, columns[table.name], first, end):
                    found += look.judged(profile, past)
    return found


def profiles(cursor: Any, table: Watched, columns: dict[str, str], first: int, end: int) -> Iterator[Profile]:
    """One an hour, from the first hour in which something arrived on. What the source has and the table lacks is `missing`."""
    source = table if isinstance(table, Processed) else table.source
    fields = [field for field in source.contract.fields if column(source.contract, field.name) in columns]
    cursor.execute(statement(table, source, fields, first, end))
    rows = {int(row[0]): row[1:] for row in cursor.fetchall()}
    begun = min(rows, default=end)
    for start in range(max(first, begun), end, HOUR):
        yield _profile(table.name, start, fields, columns, rows.get(start))


def statement(table: Watched, source: Processed, fields: Iterable[Field], first: int, end: int) -> str:
    """epoch of the hour, rows, missing, then for each field its nulls, and for a number its three levels."""
    joined = " and ".join(f"seen.{key} = kept.{key}" for key in source.keys)
    counts = [part for field in fields for part in _parts(column(source.contract, field.name), field)]
    since, until = (datetime.fromtimestamp(moment, UTC) for moment in (first, end))
    return f"""
select
    to_unixtime(date_trunc('hour', kept.arrived_at)), count(seen.{source.keys[0]}), count(*) - count(seen.{source.keys[0]}),
    {", ".join(counts)}
from lake.processed.{source.contract.name} as kept
left join lake.{table.name} as seen on {joined}
where kept.origin = 'stream' and kept.arrived_at >= {literals.moment(since)}
    and kept.arrived_at < {literals.moment(until)}
group by 1 order by 1
"""  # noqa: S608 - names from contracts, which are examined


def _parts(name: str, field: Field) -> list[str]:
    parts = [f"count_if(seen.{name} is null)"]
    if _numeric(field):
        shares = ", ".join(str(share) for share in _SIDES.values())
        value = f"if(seen.{name} > 0, ln(cast(seen.{name} as double)))"
        parts.append(f"approx_percentile({value}, array[{shares}])")
    return parts


def _numeric(field: Field) -> bool:
    return field.type.startswith(("decimal", "double", "bigint"))


def _profile(name: str, start: int, fields: list[Field], columns: dict[str, str], row: Any) -> Profile:
    shares: dict[str, Share] = {f"type:{column_}:{kind}": (1, 1) for column_, kind in columns.items()}
    levels: dict[str, Level] = {}
    if row is None:
        return Profile(name, start, HOUR, 0, shares, levels)
    rows, missing, *cells = row
    shares["missing"] = int(missing), int(rows) + int(missing)
    values = iter(cells)
    for field in fields:
        shares[f"null:{field.name}"] = max(0, int(next(values)) - int(missing)), int(rows)
        if _numeric(field):
            found = next(values) or ()
            levels |= {
                f"level:{field.name}:{side}": (round(value, 4), int(rows))
                for side, value in zip(_SIDES, found, strict=False)
                if value is not None and math.isfinite(value)
            }
    return Profile(name, start, HOUR, int(rows), shares, levels)


def _columns(cursor: Any) -> dict[str, dict[str, str]]:
    """Columns with their types, by schema.table."""
    cursor.execute(
        "select table_schema, table_name, column_name, data_type from lake.information_schema.columns"
        " where table_schema in ('processed', 'curated')"
    )
    found: dict[str, dict[str, str]] = {}
    for schema, name, column_, kind in cursor.fetchall():
        found.setdefault(f"{schema}.{name}", {})[column_] = kind.partition("(")[0]
    return found

"""The lake's twin of live windows: the same sums over the same keys, from the table that keeps them or from the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from headrace.lake.trino import connect
from headrace.settings import Settings
from headrace.streams.spec import LiveSpec

Cell = tuple[datetime, tuple[str | None, ...]]
Figures = Mapping[str, Decimal]


def lake_figures(
    settings: Settings, spec: LiveSpec, start: datetime, end: datetime
) -> tuple[dict[Cell, Figures], dict[Cell, Figures]]:
    """What the lake holds of the streamed events in these windows: those in time, and the late ones."""
    names = ["n", *(a.name for a in spec.accumulators)]
    punctual: dict[Cell, Figures] = {}
    late: dict[Cell, Figures] = {}
    with connect(settings, timeout=60) as connection:
        cursor = connection.cursor()
        cursor.execute(_kept(spec) if spec.table else _added_up(spec), (start, end))
        for window, is_late, *rest in cursor.fetchall():
            keys, values = rest[: len(spec.keys)], rest[len(spec.keys) :]
            figures = {name: Decimal(value) for name, value in zip(names, values, strict=True)}
            (late if is_late else punctual)[window.astimezone(UTC), tuple(keys)] = figures
    return punctual, late


def _kept(spec: LiveSpec) -> str:
    measures = ", ".join(f'"{a.name}"' for a in spec.accumulators)
    return (
        f"select window_start, is_late, {_list(spec.keys)}n, {measures} from curated.{spec.table} "  # noqa: S608
        "where origin = 'stream' and window_start >= ? and window_start < ?"
    )


def _added_up(spec: LiveSpec) -> str:
    window = f"from_unixtime(floor(to_unixtime({spec.time}) / {spec.window_seconds}) * {spec.window_seconds}, 'UTC')"
    keys = _list(f"cast({spec.expr(key)} as varchar)" for key in spec.keys)
    measures = ", ".join(f"cast({a.agg}({a.expr}) as {a.type})" for a in spec.accumulators)
    places = ", ".join(str(place) for place in range(1, len(spec.keys) + 3))
    return (
        f"select {window}, is_late, {keys}count(*), {measures} from curated.{spec.fact} "  # noqa: S608
        f"where origin = 'stream' and {spec.time} >= ? and {spec.time} < ? group by {places}"
    )


def _list(names: Iterable[str]) -> str:
    return "".join(f"{name}, " for name in names)

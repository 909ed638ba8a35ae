"""Live windows out of ClickHouse's events, where a setting keeps them there: what answers when the live store cannot.

The same keys and sums as the live job's, over the accepted events that the lake job sent on, each once; so they are some
seconds behind the live store, and exact.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlglot
from redis.exceptions import RedisError

from headrace.contracts.model import Contract, Field
from headrace.live.fold import Folded
from headrace.live.layout import field_of
from headrace.sinks.clickhouse import ClickHouse
from headrace.sinks.sink import SinkDown
from headrace.streams.spec import LiveSpec

_NUMBER = r"(-?[0-9]+(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"


class SecondDown(RedisError):
    """Neither the live store nor the one behind it answers."""


class ClickHouseWindows:
    """Reads what `LiveStore` reads, by the same names."""

    def __init__(
        self,
        server: ClickHouse,
        database: str,
        specs: Callable[[], Iterable[LiveSpec]],
        contracts: Callable[[], Mapping[str, Contract]],
    ) -> None:
        self._server, self._events = server, f"{database}.events"
        self._specs, self._contracts = specs, contracts

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> list[Folded]:
        return [window for was_late, window in self._read(self._spec(spec), start, end) if was_late is late]

    def rows(self, spec: str, fields: Sequence[str], start: datetime, end: datetime) -> list[Folded]:
        """Those of certain fields of the live store's hashes."""
        wanted = set(fields)
        found = self._read(self._spec(spec), start, end)
        return [window for late, window in found if field_of(late, window.keys.values()) in wanted]

    def newest(self, spec: str) -> datetime | None:
        return self._edge("max", spec)

    def since(self, spec: str) -> datetime | None:
        """The minute of its oldest event may not be whole."""
        return self._edge("min", spec)

    def _spec(self, name: str) -> LiveSpec:
        return next(spec for spec in self._specs() if spec.name == name)

    def _read(self, spec: LiveSpec, start: datetime, end: datetime) -> list[tuple[bool, Folded]]:
        rows = self._rows(windows_sql(spec, self._contracts()[spec.stream], self._events, start, end))
        return [(bool(late), _window(spec, begin, n, rest)) for begin, late, n, *rest in rows]

    def _edge(self, side: str, name: str) -> datetime | None:
        spec = self._spec(name)
        sql = f"select {side}(toUnixTimestamp(event_time)), count() from {self._events} where event_type = '{spec.stream}'"  # noqa: S608
        ((moment, number),) = self._rows(f"{sql} format JSONCompactEachRow")
        seconds = int(moment) // spec.window_seconds * spec.window_seconds
        return datetime.fromtimestamp(seconds, UTC) if int(number) else None

    def _rows(self, sql: str) -> list[list[Any]]:
        try:
            return [json.loads(line) for line in self._server.run(sql).splitlines() if line]
        except SinkDown as error:
            raise SecondDown(str(error)) from error


def windows_sql(spec: LiveSpec, contract: Contract, events: str, start: datetime, end: datetime) -> str:
    fields = ", ".join(f"{typed(field)} as {field.name}" for field in contract.fields if _used(spec, field))
    keys = "".join(f", toString({_dialect(spec.expr(key))}) as key_{n}" for n, key in enumerate(spec.keys))
    sums = "".join(f", toString({a.agg}({_dialect(a.expr)}))" for a in spec.accumulators)
    # Qualified, as a field of the contract may be called like a column of the table.
    period = f"e.event_time >= {moment(start)} and e.event_time < {moment(end)}"
    inner = (
        f"select e.event_time as happened_at, e.late as late{', ' if fields else ''}{fields} from {events} as e final"  # noqa: S608
    )
    return (
        f"select intDiv(toUnixTimestamp(happened_at), {spec.window_seconds}) * {spec.window_seconds} as begin, late, "  # noqa: S608
        f"count() as n{keys}{sums} from ({inner} where e.event_type = '{spec.stream}' and {period}) "
        f"group by begin, late{''.join(f', key_{n}' for n in range(len(spec.keys)))} order by begin "
        "format JSONCompactEachRow"
    )


def typed(field: Field) -> str:
    """The field out of the event's document; a decimal from its digits, since a JSON number may pass through a double."""
    text = f"JSONExtract(document, '{field.name}', 'Nullable(String)')"
    if field.type.startswith("decimal"):
        scale = field.type.rstrip(")").split(",")[1].strip()
        digits = f"extract(document, '\"{field.name}\":\\\\s*{_NUMBER}')"
        return f"toDecimal128OrNull({digits}, {scale})"
    plain = {"bigint": "Int64", "double": "Float64", "boolean": "Bool"}
    if kind := plain.get(field.type):
        return f"JSONExtract(document, '{field.name}', 'Nullable({kind})')"
    return f"parseDateTime64BestEffortOrNull({text}, 6, 'UTC')" if field.type == "timestamp" else text


def moment(value: datetime) -> str:
    return f"toDateTime64('{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')"


def _used(spec: LiveSpec, field: Field) -> bool:
    said = [*spec.keys, *(sql for _, sql in spec.exprs), *(a.expr for a in spec.accumulators)]
    names = {c.name for text in said for c in sqlglot.parse_one(text, dialect="trino").find_all(sqlglot.exp.Column)}
    return field.name in names


def _dialect(sql: str) -> str:
    return str(sqlglot.parse_one(sql, dialect="trino").sql(dialect="clickhouse"))


def _window(spec: LiveSpec, begin: int, n: int, rest: list[Any]) -> Folded:
    keys, values = rest[: len(spec.keys)], rest[len(spec.keys) :]
    return Folded(
        datetime.fromtimestamp(int(begin), UTC),
        {name: None if key is None else str(key) for name, key in zip(spec.keys, keys, strict=True)},
        int(n),
        {a.name: Decimal(value) for a, value in zip(spec.accumulators, values, strict=True)},
    )

"""Metrics to Trino SQL, by MetricFlow in this process: the definition is dbt's, the SQL is nobody's to write by hand.

The engine takes a second to make and milliseconds to use, so it is kept until the metrics are published anew.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from headrace.lake import literals
from headrace.semantics import manifest as manifests
from headrace.settings import Settings, get_settings

Grain = Literal["minute", "hour", "day", "week", "month", "quarter", "year"]
TIME = "metric_time"


class CannotCompile(ValueError):
    """These metrics and dimensions do not go together; the message is MetricFlow's reason."""


@dataclass(frozen=True)
class Condition:
    """A dimension by its qualified name (`transaction__region`), limited to values or kept away from them."""

    dimension: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Request:
    metrics: tuple[str, ...]
    group_by: tuple[str, ...] = ()
    """Qualified names of dimensions. Result columns are called by the same names."""
    where: tuple[Condition, ...] = ()
    start: datetime | None = None
    """Whole minutes, with a time zone; the period is [start, end)."""
    end: datetime | None = None
    grain: Grain | None = None
    """Adds a first column `metric_time__{grain}`."""
    order: tuple[str, ...] = ()
    """Names of metrics or dimensions of this request, `metric_time` for the time; a leading `-` means descending."""
    limit: int | None = None


def compile_sql(request: Request, settings: Settings | None = None) -> str:
    """One Trino statement; its result has the time column, the dimensions, then the metrics."""
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

    asked = MetricFlowQueryRequest.create(
        metric_names=list(request.metrics),
        group_by_names=_group_by(request) or None,
        where_constraints=_where(request) or None,
        order_by_names=[_order(name, request.grain) for name in request.order] or None,
        limit=request.limit,
    )
    engine = _engine(settings or get_settings())
    try:
        return str(engine.explain(asked).sql_statement.without_descriptions.sql)
    except Exception as error:  # MetricFlow has no common base for what it refuses
        raise CannotCompile(_first_lines(error)) from error


def warm(settings: Settings) -> None:
    """Makes the engine now, so that the first person who asks does not wait for it."""
    _engine(settings)


def _group_by(request: Request) -> list[str]:
    return [*([f"{TIME}__{request.grain}"] if request.grain else []), *request.group_by]


def _where(request: Request) -> list[str]:
    found = [_condition(condition) for condition in request.where]
    # The day beside the minute lets Trino skip the files of other days; tables of days know no minutes.
    if request.start:
        found.append(_from("day", _midnight(request.start)))
        if request.start != _midnight(request.start):
            found.append(_from("minute", request.start))
    if request.end and request.end == _midnight(request.end):
        found.append(f"{_time('day')} < {_moment(request.end)}")
    elif request.end:
        found += [f"{_time('minute')} < {_moment(request.end)}", f"{_time('day')} <= {_moment(_midnight(request.end))}"]
    return found


def _from(grain: str, moment: datetime) -> str:
    return f"{_time(grain)} >= {_moment(moment)}"


def _time(grain: str) -> str:
    return f"{{{{ TimeDimension('{TIME}', '{grain}') }}}}"


def _moment(moment: datetime) -> str:
    if moment.tzinfo is None or moment.second or moment.microsecond:
        raise CannotCompile(
            f"a period begins and ends with a whole minute in a time zone, not with {moment.isoformat()}"
        )
    return literals.moment(moment)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _condition(condition: Condition) -> str:
    values = ", ".join(_literal(value) for value in condition.values) or "null"
    dimension = f"{{{{ Dimension('{_identifier(condition.dimension)}') }}}}"
    return f"cast({dimension} as varchar) {'not in' if condition.negated else 'in'} ({values})"


def _literal(value: str) -> str:
    """Values are data: quotes are doubled, and braces may not reach the template that MetricFlow renders."""
    if "{" in value or "}" in value or "\0" in value:
        raise CannotCompile(f"a value may not hold braces: {value!r}")
    return literals.text(value)


def _identifier(name: str) -> str:
    if not name.replace("_", "").isalnum() or not name.isascii():
        raise CannotCompile(f"{name!r} is not the name of a dimension")
    return name


def _order(name: str, grain: Grain | None) -> str:
    sign, bare = ("-", name[1:]) if name.startswith("-") else ("", name)
    return f"{sign}{TIME}__{grain}" if bare == TIME and grain else f"{sign}{bare}"


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:6])[:800]


class _CompileOnly:
    """MetricFlow wants a database client; ours renders for Trino and refuses to run anything."""

    def __init__(self) -> None:
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.trino import TrinoSqlPlanRenderer

        self.sql_engine_type = SqlEngine.TRINO
        self.sql_plan_renderer = TrinoSqlPlanRenderer()

    def query(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("this client only compiles")

    execute = dry_run = query

    def close(self) -> None:
        return None

    def render_bind_parameter_key(self, bind_parameter_key: str) -> str:
        return f":{bind_parameter_key}"


_LOCK = threading.Lock()
_KEPT: list[tuple[Any, Any]] = []


def _engine(settings: Settings) -> Any:
    manifest = manifests.manifest(settings)
    with _LOCK:
        if not _KEPT or _KEPT[0][0] is not manifest:
            from metricflow.engine.metricflow_engine import MetricFlowEngine
            from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

            _KEPT[:] = [(manifest, MetricFlowEngine(SemanticManifestLookup(manifest), _CompileOnly()))]
        return _KEPT[0][1]

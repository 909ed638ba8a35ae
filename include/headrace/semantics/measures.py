"""Which metrics can be read from live windows, and from what: found in the definitions themselves.

A measure qualifies when it adds up one field of the contract, perhaps times a dated rate that the reader applies; when it
counts the distinct values of a key; or when it is a percentile of what some windows keep in buckets. A metric qualifies when,
besides, its filter looks at nothing but keys. Everything else is answered by the lake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlglot
from metricflow_semantic_interfaces.implementations.metric import PydanticMetric
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.implementations.semantic_model import PydanticSemanticModel
from sqlglot import exp

from headrace.contracts.model import Contract
from headrace.semantics.buckets import Buckets, buckets_of
from headrace.semantics.manifest import meta
from headrace.streams.spec import Accumulator, Aggregation, LiveMeasure, LiveSpec

FACTORS = ("usd_rate",)
_DAY_SECONDS = 86_400
_ADDITIVE: dict[str, Aggregation] = {"sum": "sum", "count": "count", "min": "min", "max": "max"}
_DIMENSION = re.compile(r"\{\{\s*Dimension\(\s*'(?:\w+__)?(\w+)'\s*\)\s*\}\}")


class NotLive(ValueError):
    """The definition is beyond what windows add up; the message says what about it."""


@dataclass(frozen=True)
class Windows:
    """One declared way to split the windows."""

    spec: str
    keys: tuple[str, ...]
    table: str


@dataclass(frozen=True)
class LiveModel:
    """A semantic model that declares live windows, with the contract behind it."""

    window_seconds: int
    windows: tuple[Windows, ...]
    contract: Contract
    exprs: dict[str, str]
    """Keys that are computed."""
    buckets: tuple[Buckets, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for windows in self.windows for key in windows.keys))

    def hold(self, needed: frozenset[str]) -> bool:
        return any(needed <= set(windows.keys) for windows in self.windows)


def live_model(model: PydanticSemanticModel, contracts: dict[str, Contract]) -> LiveModel | None:
    declared = meta(model)
    live = declared.get("live")
    if not live:
        return None
    contract = contracts[declared["contract"]]
    windows = tuple(Windows(w["spec"], tuple(w["keys"]), w.get("table", "")) for w in live["windows"])
    fields = {f.name for f in contract.fields}
    exprs = {d.name: d.expr for d in model.dimensions if d.expr and d.name not in fields}
    found = LiveModel(int(live["window_seconds"]), windows, contract, exprs, buckets_of(model))
    if _DAY_SECONDS % found.window_seconds:
        raise ValueError(f"{model.name}: a day is no whole number of windows of {found.window_seconds} seconds")
    if unknown := [key for key in found.keys if key not in fields and key not in exprs]:
        raise ValueError(
            f"{model.name}: live key {unknown[0]!r} is neither a field of {contract.name} nor a computed dimension"
        )
    return found


def specs(manifest: PydanticSemanticManifest, contracts: dict[str, Contract]) -> tuple[LiveSpec, ...]:
    """The specifications of every semantic model that declares live windows, in the order of their declaration."""
    found: list[LiveSpec] = []
    for model in manifest.semantic_models:
        if live := live_model(model, contracts):
            needed = {a.name: a for m in model.measures if (a := _accumulator_or_none(m, live))}
            added = tuple(needed[name] for name in sorted(needed))
            found += [_spec(windows, live, model, added) for windows in live.windows]
    return tuple(found)


def _spec(windows: Windows, live: LiveModel, model: PydanticSemanticModel, added: tuple[Accumulator, ...]) -> LiveSpec:
    return LiveSpec(
        name=windows.spec,
        stream=live.contract.name,
        window_seconds=live.window_seconds,
        keys=windows.keys,
        accumulators=added,
        exprs=tuple((key, live.exprs[key]) for key in windows.keys if key in live.exprs),
        fact=model.node_relation.alias,
        time=(model.defaults.agg_time_dimension if model.defaults else None) or live.contract.event_time,
        table=windows.table,
        person=bool(set(windows.keys) & set(live.contract.person_fields)),
    )


def live_measure(
    metric: PydanticMetric, manifest: PydanticSemanticManifest, contracts: dict[str, Contract]
) -> LiveMeasure | None:
    """The live reading of a simple metric, or None when only the lake can tell."""
    reference = metric.type_params.measure
    if reference is None:
        return None
    model, measure = measure_of(manifest, reference.name)
    live = live_model(model, contracts)
    if live is None:
        return None
    try:
        only = key_limits(filters_of(metric), live.keys)
        found = _read(measure, live, only)
    except NotLive:
        return None
    return found if live.hold(found.needs) else None


def filters_of(metric: PydanticMetric) -> list[str]:
    reference = metric.type_params.measure
    filters = (metric.filter, reference.filter if reference else None)
    return [f.where_sql_template for part in filters if part for f in part.where_filters]


def _read(measure: Any, live: LiveModel, only: tuple[tuple[str, tuple[str, ...]], ...]) -> LiveMeasure:
    stream, agg = live.contract.name, measure.agg.value
    if agg == "count_distinct":
        return LiveMeasure(stream, "n", "distinct", None, only, over=_distinct_key(measure, live))
    if agg in ("percentile", "median"):
        over, factor = _bucketed(measure, live)
        return LiveMeasure(stream, "n", "percentile", factor, only, over.dimension, share_of(measure), over.base)
    found = accumulator(measure, live)
    return LiveMeasure(stream, found.name, found.agg, found.factor, only)


def share_of(measure: Any) -> float:
    """0.95 for the 95th percentile."""
    return float(measure.agg_params.percentile) if measure.agg.value == "percentile" else 0.5


def _distinct_key(measure: Any, live: LiveModel) -> str:
    field = sqlglot.parse_one(measure.expr or measure.name, dialect="trino").unnest()
    required = {f.name for f in live.contract.fields if f.required}
    if isinstance(field, exp.Column) and field.name in live.keys and field.name in required:
        return str(field.name)
    raise NotLive(f"{measure.name}: {measure.expr!r} is not a key of the live windows that is always there")


def _bucketed(measure: Any, live: LiveModel) -> tuple[Buckets, str | None]:
    field, factor = _split(measure.expr or measure.name)
    for buckets in live.buckets:
        if buckets.of == field.sql(dialect="trino") and buckets.dimension in live.keys:
            return buckets, factor
    raise NotLive(f"{measure.name}: no live windows keep {measure.expr!r} in buckets")


def accumulator(measure: Any, live: LiveModel) -> Accumulator:
    agg = _ADDITIVE.get(measure.agg.value)
    if agg is None or measure.non_additive_dimension is not None:
        raise NotLive(f"{measure.name}: {measure.agg.value} is not additive")
    field, factor = _split(measure.expr or measure.name)
    if agg == "count":
        return _count(measure.name, field, live.contract)
    if not isinstance(field, exp.Column) or field.name not in {f.name for f in live.contract.fields}:
        raise NotLive(f"{measure.name}: {measure.expr!r} is not one field of {live.contract.name}")
    if not live.contract.field(field.name).required:
        raise NotLive(f"{measure.name}: {field.name} may be missing")
    return Accumulator(f"{agg}_{field.name}", agg, field.name, _type(agg, live.contract.field(field.name).type), factor)


def key_limits(filters: list[str], keys: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """`key = 'a'` and `key in ('a', 'b')`, joined by and, as values by key; NotLive for anything else."""
    limits: dict[str, tuple[str, ...]] = {}
    for text in filters:
        condition = sqlglot.parse_one(_DIMENSION.sub(r"\1", text), dialect="trino")
        for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
            key, values = _limit(part.unnest())
            if key not in keys:
                raise NotLive(f"{key} is not a key of the live windows")
            limits[key] = tuple(v for v in limits.get(key, values) if v in values)
    return tuple(sorted(limits.items()))


def _limit(part: exp.Expression) -> tuple[str, tuple[str, ...]]:
    values = part.expressions if isinstance(part, exp.In) else [part.expression] if isinstance(part, exp.EQ) else []
    if (
        not values
        or not isinstance(part.this, exp.Column)
        or not all(isinstance(v, exp.Literal) and v.is_string for v in values)
    ):
        raise NotLive(f"{part.sql()} is not a comparison of a key with values")
    return part.this.name, tuple(v.this for v in values)


def _split(text: str) -> tuple[exp.Expression, str | None]:
    """An expression without its factor, and the factor."""
    expression = sqlglot.parse_one(text, dialect="trino").unnest()
    if isinstance(expression, exp.Mul):
        left, right = expression.left.unnest(), expression.right.unnest()
        for factor, rest in ((right, left), (left, right)):
            if isinstance(factor, exp.Column) and factor.name in FACTORS:
                return rest, factor.name
    return expression, None


def _count(measure: str, field: exp.Expression, contract: Contract) -> Accumulator:
    """Counting a field that is always there is counting rows."""
    required = {f.name for f in contract.fields if f.required}
    if isinstance(field, exp.Literal) or (isinstance(field, exp.Column) and field.name in required):
        return Accumulator("count", "count", "1", "bigint")
    raise NotLive(f"{measure}: counts what may be missing")


def _type(agg: Aggregation, field_type: str) -> str:
    if agg != "sum":
        return field_type
    if field_type.startswith("decimal"):
        return f"decimal(38,{field_type.rstrip(')').split(',')[1].strip()})"
    if field_type == "bigint":
        return "decimal(38,0)"
    raise NotLive(f"a sum of {field_type} is not exact")


def measure_of(manifest: PydanticSemanticManifest, name: str) -> tuple[PydanticSemanticModel, Any]:
    return next((model, m) for model in manifest.semantic_models for m in model.measures if m.name == name)


def _accumulator_or_none(measure: Any, live: LiveModel) -> Accumulator | None:
    try:
        return accumulator(measure, live)
    except NotLive:
        return None

"""Which metrics can be added up live, and from what: the additive subset, found in the definitions themselves.

A measure qualifies when it adds up one field of the contract, perhaps times a dated rate that the reader applies; a
metric, when its filter looks at nothing but the keys of the window. Everything else is answered by the lake.
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
from headrace.semantics.manifest import meta
from headrace.streams.spec import Accumulator, Aggregation, LiveSpec

FACTORS = ("usd_rate",)
_ADDITIVE: dict[str, Aggregation] = {"sum": "sum", "count": "count", "min": "min", "max": "max"}
_DIMENSION = re.compile(r"\{\{\s*Dimension\(\s*'(?:\w+__)?(\w+)'\s*\)\s*\}\}")


class NotLive(ValueError):
    """The definition is beyond what windows add up; the message says what about it."""


@dataclass(frozen=True)
class LiveMeasure:
    """How a simple metric is read from live windows."""

    spec: str
    accumulator: str
    agg: Aggregation
    factor: str | None
    only: tuple[tuple[str, tuple[str, ...]], ...]
    """Keys limited to some of their values."""
    keys: tuple[str, ...] = ()
    """What the windows can be split by."""


@dataclass(frozen=True)
class LiveModel:
    """A semantic model that declares live windows, with the contract behind it."""

    spec: str
    window_seconds: int
    keys: tuple[str, ...]
    contract: Contract


def live_model(model: PydanticSemanticModel, contracts: dict[str, Contract]) -> LiveModel | None:
    declared = meta(model)
    live = declared.get("live")
    if not live:
        return None
    contract = contracts[declared["contract"]]
    return LiveModel(live["spec"], int(live["window_seconds"]), tuple(live["keys"]), contract)


def specs(manifest: PydanticSemanticManifest, contracts: dict[str, Contract]) -> tuple[LiveSpec, ...]:
    """One specification for each semantic model that declares one, with what its additive measures need."""
    found = []
    for model in manifest.semantic_models:
        if live := live_model(model, contracts):
            needed = {a.name: a for m in model.measures if (a := _accumulator_or_none(m, live))}
            accumulators = tuple(needed[name] for name in sorted(needed))
            found.append(LiveSpec(live.spec, live.contract.name, live.window_seconds, live.keys, accumulators))
    return tuple(sorted(found, key=lambda spec: spec.name))


def live_measure(
    metric: PydanticMetric, manifest: PydanticSemanticManifest, contracts: dict[str, Contract]
) -> LiveMeasure | None:
    """The live reading of a simple metric, or None when only the lake can tell."""
    reference = metric.type_params.measure
    if reference is None:
        return None
    model, measure = _measure(manifest, reference.name)
    live = live_model(model, contracts)
    if live is None:
        return None
    filters = [f.where_sql_template for part in (metric.filter, reference.filter) if part for f in part.where_filters]
    try:
        found = accumulator(measure, live)
        only = key_limits(filters, live.keys)
    except NotLive:
        return None
    return LiveMeasure(live.spec, found.name, found.agg, found.factor, only, live.keys)


def accumulator(measure: Any, live: LiveModel) -> Accumulator:
    agg = _ADDITIVE.get(measure.agg.value)
    if agg is None or measure.non_additive_dimension is not None:
        raise NotLive(f"{measure.name}: {measure.agg.value} is not additive")
    field, factor = _split(measure.expr or measure.name)
    if agg == "count":
        return _count(measure.name, field, live.contract)
    if not isinstance(field, exp.Column) or field.name not in {f.name for f in live.contract.fields}:
        raise NotLive(f"{measure.name}: {measure.expr!r} is not one field of {live.contract.name}")
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


def _measure(manifest: PydanticSemanticManifest, name: str) -> tuple[PydanticSemanticModel, Any]:
    return next((model, m) for model in manifest.semantic_models for m in model.measures if m.name == name)


def _accumulator_or_none(measure: Any, live: LiveModel) -> Accumulator | None:
    try:
        return accumulator(measure, live)
    except NotLive:
        return None
